// The work behind bench/balance-ablation.ts: the pool and questions that all models share, and one
// model: a subset drawn, packed, trained on, measured. What is done already is read.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { ensureFolder, readJson, writeFileAtomic } from '../../src/core/files.ts';
import { hashUint32 } from '../../src/core/hash.ts';
import { log } from '../../src/core/log.ts';
import { balanceSchema } from '../../src/curate/config.ts';
import { curate } from '../../src/curate/curate.ts';
import { readConceptCounts } from '../../src/eval/data/open-items.ts';
import { type Benchmark, byMeanLoss, evaluate, localModel } from '../../src/eval/index.ts';
import { QWEN_PROCESSOR } from '../../src/image/config.ts';
import { createOneVision } from '../../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../../src/model/presets.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import { pack } from '../../src/pack/pack.ts';
import { buildCorpus } from '../../src/sample/corpus/corpus.ts';
import { hashConfig, readManifest, writeManifest } from '../../src/sample/manifest.ts';
import { createShardWriter, readSamples } from '../../src/sample/webdataset.ts';
import { type SynthSetInput, synthesise } from '../../src/synth/index.ts';
import { createTokenizer, loadTokenizer } from '../../src/text/tokenizer.ts';
import { trainTokenizer } from '../../src/text/train-bpe.ts';
import { Run } from '../../src/track/run.ts';
import { TrainConfigSchema } from '../../src/train/config.ts';
import { train } from '../../src/train/trainer.ts';
import { balance } from '../../test/support/balance.ts';

export type Arm = 'balanced' | 'random';

export interface Ablation {
  /** Holds pool, questions and tokenizer, and a folder for each setting. */
  readonly folder: string;
  readonly steps: number;
  /** Share of the clean pool that a model trains on. */
  readonly share: number;
  /** Questions. */
  readonly items: number;
}

export interface Scores {
  /** Samples in the subset. */
  readonly samples: number;
  /** Different concepts in the subset. */
  readonly concepts: number;
  readonly minutes: number;
  readonly all: number;
  readonly head: number;
  readonly middle: number;
  readonly tail: number;
}

const scoresSchema: z.ZodType<Scores> = z.strictObject({
  samples: z.number(),
  concepts: z.number(),
  minutes: z.number(),
  all: z.number(),
  head: z.number(),
  middle: z.number(),
  tail: z.number(),
});

const PROCESSOR = { ...QWEN_PROCESSOR, maxPixels: 84 * 84 };
const CAPTIONS: SynthSetInput = { name: 'captions', task: 'caption', count: 6000, turns: 1 };

/** Known concepts in a drawing style that training never met; the option of the lowest loss. */
const UNSEEN_STYLE: Benchmark = {
  name: 'unseen-style',
  title: 'unseen style, 4 options',
  data: 'heldout/unseen-style',
  scorer: byMeanLoss(),
  denominator: 'manifest',
  clusters: 'group',
  chance: 0.25,
};

function foldersOf({ folder, steps, share, items }: Ablation) {
  return {
    raw: join(folder, 'raw'),
    pool: join(folder, 'pool'),
    shared: join(folder, `shared-${items}`),
    tokenizer: join(folder, 'tokenizer'),
    experiment: join(folder, `${steps}-steps-${share}-${items}`),
  };
}

/** The clean pool, the held-out questions and the tokenizer. The only part that reads the packages. */
export async function prepare(ablation: Ablation): Promise<void> {
  const { raw, pool, shared, tokenizer } = foldersOf(ablation);
  if (existsSync(join(tokenizer, 'tokenizer.json')) && existsSync(join(shared, 'ready'))) return;
  await buildCorpus({ output: raw, profile: 'emoji' });
  await curate({ input: raw, output: pool, config: { balance: { target: 1 } } });
  const sets: SynthSetInput[] = [
    CAPTIONS,
    { name: 'unseen-style', task: 'choice', pool: 'unseen-style', count: ablation.items },
  ];
  await synthesise({ inputs: [pool], output: shared, config: { sets }, log });
  const texts: string[] = [];
  for await (const { messages } of readSamples(join(shared, 'train', 'captions'))) {
    texts.push(...messages.map(({ content }) => content.replaceAll('<image>', '')));
  }
  await createTokenizer(trainTokenizer(texts, 2048, { defaultSystem: '' })).save(tokenizer);
  await writeFileAtomic(join(shared, 'ready'), '');
}

/** The scores of a model that is done, else nothing. */
export function readScores(ablation: Ablation, arm: Arm, seed: number): Scores | undefined {
  const file = join(foldersOf(ablation).experiment, `${arm}-${seed}`, 'scores.json');
  return existsSync(file) ? readJson(file, scoresSchema) : undefined;
}

/** Trains one model on a subset of the pool and measures it. */
export async function runArm(ablation: Ablation, arm: Arm, seed: number): Promise<Scores> {
  const done = readScores(ablation, arm, seed);
  if (done !== undefined) return done;
  const started = performance.now();
  const { tokenizer, experiment } = foldersOf(ablation);
  const dir = join(experiment, `${arm}-${seed}`);
  const counts = await drawSubset(ablation, arm, seed, join(dir, 'subset'));
  const samples = join(dir, 'samples');
  await synthesise({
    inputs: [join(dir, 'subset')],
    output: samples,
    config: { sets: [CAPTIONS] },
    log,
  });
  await pack({
    inputs: [{ dir: join(samples, 'train', 'captions') }],
    output: join(dir, 'packs'),
    config: PackConfigSchema.parse({ maxTokens: 1536, maxPatches: 36 * 64 }),
    tokenizer,
    processor: PROCESSOR,
    log,
  });
  const found = await trainAndMeasure(ablation, arm, seed);
  const minutes = Number(((performance.now() - started) / 60_000).toFixed(2));
  const scores = scoresSchema.parse({ ...counts, minutes, ...found });
  await writeFileAtomic(join(dir, 'scores.json'), `${JSON.stringify(scores)}\n`);
  return scores;
}

/** Draws `share` of the clean training samples: by inverse concept frequency, or evenly. */
async function drawSubset(
  ablation: Ablation,
  arm: Arm,
  seed: number,
  dir: string,
): Promise<{ readonly samples: number; readonly concepts: number }> {
  const clean = await Array.fromAsync(readSamples(foldersOf(ablation).pool, { split: 'train' }));
  const items = clean.map(({ uid, meta }) => {
    return { uid, concepts: z.array(z.string()).parse(meta['concepts']) };
  });
  const rule = arm === 'balanced' ? 'inverse-frequency' : 'uniform';
  const { copies } = balance(items, balanceSchema.parse({ rule, target: ablation.share }), seed);
  const chosen = items.flatMap(({ concepts }, i) => (copies[i] === 1 ? concepts : []));
  const concepts = new Set(chosen).size;
  if (existsSync(join(dir, 'manifest.json'))) {
    return { samples: readManifest(dir).counts['samples'] ?? 0, concepts };
  }
  ensureFolder(dir);
  const writer = createShardWriter(dir, { maxSamples: 1000, prefix: 'train' });
  for (const [i, sample] of clean.entries()) if (copies[i] === 1) await writer.write(sample);
  const files = await writer.close();
  const samples = files.reduce((sum, { count }) => sum + count, 0);
  await writeManifest(dir, {
    format: 'onevision/1',
    kind: 'samples',
    stage: 'ablation',
    configHash: hashConfig(arm, seed, files),
    counts: { samples },
    files,
    stats: {},
  });
  return { samples, concepts };
}

async function trainAndMeasure(
  ablation: Ablation,
  arm: Arm,
  seed: number,
): Promise<Record<string, number>> {
  const { pool, shared, tokenizer, experiment } = foldersOf(ablation);
  const dir = join(experiment, `${arm}-${seed}`);
  const sizes = { width: 128, headDim: 64, visionLayers: 4, textLayers: 3 };
  const vocabulary = vocabularyOf(loadTokenizer(tokenizer));
  using run = await Run.open(join(dir, 'run'));
  const config = trainConfig(ablation.steps, seed);
  using model = await train({
    run,
    stages: [{ name: 'captions', config, phases: [{ packs: join(dir, 'packs') }] }],
    tokenizer,
    createModel: () => createOneVision(tinyConfig(vocabulary, sizes), { seed }),
    modelHash: hashConfig(sizes, seed),
    log,
  });
  const [summary] = await evaluate({
    model: localModel(
      model,
      { tokenizer: loadTokenizer(tokenizer), image: PROCESSOR },
      { identity: `${arm}-${seed}-${ablation.steps}-${ablation.share}` },
    ),
    benchmarks: [UNSEEN_STYLE],
    data: shared,
    output: join(dir, 'eval'),
    concepts: readConceptCounts(pool),
    log,
  });
  const { head, middle, tail } = summary?.bands ?? {};
  return {
    all: summary?.accuracy ?? Number.NaN,
    head: head?.accuracy ?? Number.NaN,
    middle: middle?.accuracy ?? Number.NaN,
    tail: tail?.accuracy ?? Number.NaN,
  };
}

function trainConfig(steps: number, seed: number): z.infer<typeof TrainConfigSchema> {
  const drawing = {
    rotation: 0.2,
    scaleMin: 0.8,
    scaleMax: 1.15,
    shift: 0.1,
    flip: 0.5,
    grey: 0.05,
  };
  return TrainConfigSchema.parse({
    steps,
    lossWeighting: 'sqrt-length',
    augment: { '*': { ...drawing, tint: 0.25, saturation: 0.4, contrast: 0.2, gamma: 0.2 } },
    optimizer: { name: 'muon', lr: 3e-3, weightDecay: 0.05, warmup: 0.04 },
    imageCacheMiB: 512,
    saveEvery: 100,
    keepLast: 1,
    logEvery: 50,
    seed: hashUint32('ablation', seed),
  });
}
