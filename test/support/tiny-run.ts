// A whole tiny training run for tests: data, packs, a model of about 50k parameters, two stages.
// Also a program: `node tiny-run.ts <dir> [settings as JSON]` trains it, for tests that kill it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/core/log.ts';
import { createOneVision, type OneVision } from '../../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../../src/model/presets.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { setNumThreads } from '../../src/tensor/index.ts';
import { loadTokenizer } from '../../src/text/tokenizer.ts';
import { Run } from '../../src/track/run.ts';
import { TrainConfigSchema, type TrainSettings } from '../../src/train/config.ts';
import type { AssembleSettings } from '../../src/train/data/assemble.ts';
import type { StagePlan } from '../../src/train/stage.ts';
import type { TrainOptions } from '../../src/train/train-options.ts';
import { train } from '../../src/train/trainer.ts';
import { TINY_PROCESSOR, tinySamples, writeSamples, writeTinyTokenizer } from './tiny-data.ts';

/** How the tiny run's packs are assembled, without augmentation. */
export const TINY_SPEC: AssembleSettings = {
  processor: TINY_PROCESSOR,
  lossWeighting: 'token-mean',
  augment: {},
  seed: 0,
  imageCacheMiB: 16,
};

/** Settings that differ from the defaults below, for both stages. */
export type TinyChanges = Partial<TrainSettings>;

/** Makes samples, tokenizer and packs below `dir`, once. */
export async function prepareTinyRun(dir: string): Promise<void> {
  if (existsSync(join(dir, 'packs', 'manifest.json'))) return;
  const samples = await tinySamples(120);
  await writeSamples(join(dir, 'samples'), samples);
  await writeTinyTokenizer(dir, samples);
  await pack({
    inputs: [{ dir: join(dir, 'samples') }],
    output: join(dir, 'packs'),
    config: PackConfigSchema.parse({ maxTokens: 256, maxPatches: 512 }),
    tokenizer: join(dir, 'tokenizer'),
    processor: TINY_PROCESSOR,
    log: silentLog,
  });
}

/** A tokenizer that the packs of `dir` were not counted with. */
export async function writeOtherTokenizer(dir: string): Promise<string> {
  return writeTinyTokenizer(join(dir, 'other-tokenizer'), await tinySamples(10, 9));
}

/** A fresh tiny model for the tokenizer of `dir`. */
export function tinyModel(dir: string, seed = 1): OneVision {
  const config = tinyConfig(vocabularyOf(loadTokenizer(join(dir, 'tokenizer'))), {
    width: 32,
    headDim: 16,
    visionLayers: 1,
    textLayers: 2,
  });
  return createOneVision(config, { seed });
}

/** Two stages: the merger for 4 steps, then everything. */
export function tinyStages(dir: string, changes: TinyChanges = {}): StagePlan[] {
  const settings = {
    packsPerStep: 2,
    microBatchPacks: 1,
    augment: { '*': { rotation: 0.2, shift: 0.1 } },
    saveEvery: 3,
    logEvery: 2,
    workers: 0,
    prefetch: 2,
    ...changes,
  };
  const phases = [{ packs: join(dir, 'packs') }];
  const stage = (name: string, own: TrainSettings): StagePlan => ({
    name,
    phases,
    config: TrainConfigSchema.parse({ ...own, ...settings }),
  });
  const optimizer = { name: 'muon', lr: 3e-3, warmup: 0.1, weightDecay: 0.05 } as const;
  return [
    stage('align', { steps: 4, trainable: ['merger'], optimizer: { lr: 1e-3 } }),
    stage('mid-train', { steps: 10, optimizer }),
  ];
}

/** Trains the tiny run in `dir/<name>`. */
export async function runTiny(
  dir: string,
  name: string,
  changes: TinyChanges = {},
  more: Partial<TrainOptions> = {},
): Promise<OneVision> {
  using run = await Run.open(join(dir, name));
  const model = await train({
    run,
    stages: tinyStages(dir, changes),
    tokenizer: join(dir, 'tokenizer'),
    createModel: () => tinyModel(dir),
    modelHash: 'tiny-1',
    log: silentLog,
    ...more,
  });
  await run.setStatus('done');
  return model;
}

if (import.meta.main) {
  const [dir = '', name = 'run', changes = '{}'] = process.argv.slice(2);
  setNumThreads(1);
  await runTiny(dir, name, JSON.parse(changes), {
    onStep: (step) => process.stdout.write(`${step}\n`),
  });
}
