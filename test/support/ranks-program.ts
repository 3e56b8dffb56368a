// One rank of tiny trainings, one after the other: `node ranks-program.ts <dir> <cases as JSON>` with the
// place of the rank in the environment, or alone. Prints the losses of every case in full.

import { join } from 'node:path';
import { silentLog } from '../../src/core/log.ts';
import { createOneVision, type OneVision } from '../../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../../src/model/presets.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { placeOf } from '../../src/parallel/place.ts';
import { DEFAULT_TIMEOUT_MS, ProcessGroup } from '../../src/parallel/process-group.ts';
import { setNumThreads } from '../../src/tensor/index.ts';
import { loadTokenizer } from '../../src/text/tokenizer.ts';
import { Run, silentRun } from '../../src/track/run.ts';
import { TrainConfigSchema, type TrainSettings } from '../../src/train/config.ts';
import { train } from '../../src/train/trainer.ts';
import { TINY_PROCESSOR } from './tiny-data.ts';
import { prepareTinyRun } from './tiny-run.ts';

export const RANK_STEPS = 20;

/** Settings of a case beside those of the trainer. */
export interface RankCase extends Partial<TrainSettings> {
  /** The run folder below `dir`. */
  readonly run: string;
  /** How the last rank stops, and after which step. */
  readonly stop?: { readonly step: number; readonly how: 'dies' | 'hangs' | 'is told to' };
}

/** Data of the tests: packs of a few samples each, so that some have no image. */
export async function prepareRankRun(dir: string): Promise<void> {
  await prepareTinyRun(dir);
  await pack({
    inputs: [{ dir: join(dir, 'samples') }],
    output: join(dir, 'small-packs'),
    config: PackConfigSchema.parse({ maxTokens: 64, maxPatches: 64 }),
    tokenizer: join(dir, 'tokenizer'),
    processor: TINY_PROCESSOR,
    log: silentLog,
  });
}

/** A tiny model whose six heads of attention, three of keys, two and three ranks can share. */
function rankModel(dir: string): OneVision {
  const vocabulary = vocabularyOf(loadTokenizer(join(dir, 'tokenizer')));
  const sizes = { width: 24, headDim: 4, visionLayers: 1, textLayers: 2 };
  const config = tinyConfig(vocabulary, sizes);
  return createOneVision({ ...config, text: { ...config.text, numKvHeads: 3 } }, { seed: 1 });
}

/** Trains the one stage of the tests; every rank calls it. Returns the loss of every step. */
export async function trainRank(
  dir: string,
  { run: name, stop, ...settings }: RankCase,
  group?: ProcessGroup,
): Promise<number[]> {
  const rank = group?.rank ?? 0;
  const path = join(dir, name);
  const run = rank === 0 ? await Run.open(path) : silentRun(path);
  const config = TrainConfigSchema.parse({
    steps: RANK_STEPS,
    packsPerStep: 4,
    microBatchPacks: 1,
    optimizer: { lr: 2e-3, eps: 1e-5, weightDecay: 0.05 },
    saveEvery: 100,
    logEvery: 5,
    workers: 0,
    prefetch: 1,
    ...settings,
  });
  const losses: number[] = [];
  using _model = await train({
    run,
    stages: [{ name: 'mid-train', config, phases: [{ packs: join(dir, 'small-packs') }] }],
    tokenizer: join(dir, 'tokenizer'),
    createModel: () => rankModel(dir),
    modelHash: 'tiny-1',
    log: silentLog,
    group,
    onStep: (step, { loss }) => {
      losses.push(loss);
      if (stop === undefined || stop.step !== step || rank + 1 !== (group?.size ?? 1)) return;
      if (stop.how === 'dies') process.exit(9);
      if (stop.how === 'is told to') process.kill(process.pid, 'SIGTERM');
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  });
  await run.setStatus('done');
  return losses;
}

if (import.meta.main) {
  const [dir = '', cases = '[]', timeout = String(DEFAULT_TIMEOUT_MS)] = process.argv.slice(2);
  setNumThreads(1);
  try {
    const place = placeOf(process.env);
    const options = { timeoutMs: Number(timeout) };
    const group = place.size > 1 ? ProcessGroup.open(place, options) : undefined;
    for (const one of JSON.parse(cases) as RankCase[]) {
      console.log(JSON.stringify([one.run, await trainRank(dir, one, group)]));
    }
    group?.close();
  } catch (error) {
    console.error(error instanceof Error ? `error: ${error.message}` : error);
    process.exit(7);
  }
}
