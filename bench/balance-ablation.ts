// Does concept balancing help the tail? The paper's claim at our scale: the tiny model trained on a
// concept-balanced subset against a random subset of equal size, same steps and start, some seeds.
// Run: node bench/balance-ablation.ts [folder] [steps] [seeds] [share]; goes on where it stopped.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { ensureFolder, readJson, writeFileAtomic } from '../src/core/files.ts';
import { hashUint32 } from '../src/core/hash.ts';
import { log } from '../src/core/log.ts';
import { balance } from '../src/curate/balance.ts';
import { balanceSchema } from '../src/curate/config.ts';
import { curate } from '../src/curate/curate.ts';
import { type Benchmark, byMeanLoss, evaluate, localModel } from '../src/eval/index.ts';
import { readConceptCounts } from '../src/eval/items.ts';
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { createOneVision } from '../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../src/model/presets.ts';
import { PackConfigSchema } from '../src/pack/config.ts';
import { pack } from '../src/pack/pack.ts';
import { buildCorpus } from '../src/sample/corpus/corpus.ts';
import { hashConfig, writeManifest } from '../src/sample/manifest.ts';
import type { Sample } from '../src/sample/sample.ts';
import { createShardWriter, readSamples } from '../src/sample/webdataset.ts';
import { type SynthSetInput, synthesise } from '../src/synth/index.ts';
import { setNumThreads } from '../src/tensor/index.ts';
import { createTokenizer, loadTokenizer } from '../src/text/tokenizer.ts';
import { trainTokenizer } from '../src/text/train-bpe.ts';
import { Run } from '../src/track/run.ts';
import { TrainConfigSchema } from '../src/train/config.ts';
import { train } from '../src/train/trainer.ts';

const [folder = 'runs/ablation', steps = '400', seeds = '5', share = '0.3'] = process.argv.slice(2);
const ARMS = ['balanced', 'random'] as const;
type Arm = (typeof ARMS)[number];
const MEASURES = ['tail', 'middle', 'head', 'all'] as const;
const NUM_ITEMS = 700;
const PROCESSOR = { ...QWEN_PROCESSOR, maxPixels: 84 * 84 };
/** 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

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

const pool = join(folder, 'pool');
const shared = join(folder, 'shared');
const tokenizer = join(folder, 'tokenizer');
const experiment = join(folder, `${steps}-steps-${share}`);

/** The clean pool, the held-out questions and the tokenizer that both arms share. */
async function prepare(): Promise<void> {
  const raw = join(folder, 'raw');
  await buildCorpus({ output: raw, profile: 'emoji' });
  await curate({ input: raw, output: pool, config: { balance: { target: 1 } } });
  const sets: SynthSetInput[] = [
    { name: 'captions', task: 'caption', count: 6000, turns: 1 },
    { name: 'unseen-style', task: 'choice', pool: 'unseen-style', count: NUM_ITEMS },
  ];
  await synthesise({ inputs: [pool], output: shared, config: { sets }, log });
  if (existsSync(join(tokenizer, 'tokenizer.json'))) return;
  const texts: string[] = [];
  for await (const { messages } of readSamples(join(shared, 'train', 'captions'))) {
    texts.push(...messages.map(({ content }) => content.replaceAll('<image>', '')));
  }
  await createTokenizer(trainTokenizer(texts, 2048, { defaultSystem: '' })).save(tokenizer);
}

/** Draws `share` of the clean training samples: by inverse concept frequency, or evenly. */
async function drawSubset(clean: readonly Sample[], arm: Arm, seed: number): Promise<string> {
  const dir = join(experiment, `${arm}-${seed}`, 'subset');
  if (existsSync(join(dir, 'manifest.json'))) return dir;
  const items = clean.map(({ uid, meta }) => {
    return { uid, concepts: z.array(z.string()).parse(meta['concepts']) };
  });
  const rule = arm === 'balanced' ? 'inverse-frequency' : 'uniform';
  const { copies } = balance(items, balanceSchema.parse({ rule, target: Number(share) }), seed);
  ensureFolder(dir);
  const writer = createShardWriter(dir, { maxSamples: 1000, prefix: 'train' });
  for (const [i, sample] of clean.entries()) if (copies[i] === 1) await writer.write(sample);
  const files = await writer.close();
  await writeManifest(dir, {
    format: 'onevision/1',
    kind: 'samples',
    stage: 'ablation',
    configHash: hashConfig(arm, seed, files),
    counts: { samples: files.reduce((sum, { count }) => sum + count, 0) },
    files,
    stats: {},
  });
  return dir;
}

const pairSchema = z.record(z.string(), z.number());
type Scores = z.infer<typeof pairSchema>;

/** Trains one model and measures it; what is done already is read. */
async function runArm(clean: readonly Sample[], arm: Arm, seed: number): Promise<Scores> {
  const dir = join(experiment, `${arm}-${seed}`);
  const result = join(dir, 'scores.json');
  if (existsSync(result)) return readJson(result, pairSchema);
  const subset = await drawSubset(clean, arm, seed);
  const sets: SynthSetInput[] = [{ name: 'captions', task: 'caption', count: 6000, turns: 1 }];
  await synthesise({ inputs: [subset], output: join(dir, 'samples'), config: { sets }, log });
  await pack({
    inputs: [{ dir: join(dir, 'samples', 'train', 'captions') }],
    output: join(dir, 'packs'),
    config: PackConfigSchema.parse({ maxTokens: 1536, maxPatches: 36 * 64 }),
    tokenizer,
    processor: PROCESSOR,
    log,
  });
  const sizes = { width: 128, headDim: 64, visionLayers: 4, textLayers: 3 };
  const vocabulary = vocabularyOf(loadTokenizer(tokenizer));
  using run = await Run.open(join(dir, 'run'));
  using model = await train({
    run,
    stages: [
      { name: 'captions', config: trainConfig(seed), phases: [{ packs: join(dir, 'packs') }] },
    ],
    tokenizer,
    createModel: () => createOneVision(tinyConfig(vocabulary, sizes), { seed }),
    modelHash: hashConfig(sizes, seed),
    log,
  });
  const summaries = await evaluate({
    model: localModel(
      model,
      { tokenizer: loadTokenizer(tokenizer), image: PROCESSOR },
      {
        identity: `${arm}-${seed}-${steps}-${share}`,
      },
    ),
    benchmarks: [UNSEEN_STYLE],
    data: shared,
    output: join(dir, 'eval'),
    concepts: readConceptCounts(pool),
    log,
  });
  const scores: Scores = {};
  for (const { accuracy, bands } of summaries) {
    scores['all'] = accuracy;
    for (const [band, score] of Object.entries(bands ?? {})) {
      if (score !== undefined) scores[band] = score.accuracy;
    }
  }
  await writeFileAtomic(result, `${JSON.stringify(scores)}\n`);
  return scores;
}

function trainConfig(seed: number): z.infer<typeof TrainConfigSchema> {
  const drawing = {
    rotation: 0.2,
    scaleMin: 0.8,
    scaleMax: 1.15,
    shift: 0.1,
    flip: 0.5,
    grey: 0.05,
  };
  return TrainConfigSchema.parse({
    steps: Number(steps),
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

/** Mean and half width of the 95 % interval of Student's t. */
function interval(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  const half = (STUDENT[values.length - 2] ?? 1.96) * error;
  return `${(100 * mean).toFixed(1)} ± ${(100 * half).toFixed(1)}`;
}

setNumThreads(1);
await prepare();
const clean = await Array.fromAsync(readSamples(pool, { split: 'train' }));
const rows: Record<Arm, Scores[]> = { balanced: [], random: [] };
for (let seed = 1; seed <= Number(seeds); seed++) {
  for (const arm of ARMS) {
    rows[arm].push(await runArm(clean, arm, seed));
    console.log(`${arm} ${seed}: ${JSON.stringify(rows[arm].at(-1))}`);
  }
}
const size = Math.round(Number(share) * clean.length);
console.log(
  `${size} of ${clean.length} clean samples, ${steps} steps, ${seeds} seeds, chance 25.0`,
);
console.log('| concepts | balanced | random | balanced − random |\n|--|--|--|--|');
for (const measure of MEASURES) {
  const of = (arm: Arm): number[] => rows[arm].map((scores) => scores[measure] ?? 0);
  const [balanced, random] = [of('balanced'), of('random')];
  const difference = balanced.map((value, i) => value - (random[i] ?? 0));
  console.log(`| ${measure} | ${[balanced, random, difference].map(interval).join(' | ')} |`);
}
