// The memory model against measured peaks of training steps: processor by the high-water mark of resident
// memory without that of mapped files (code is read in as it runs, and dropped when the machine is short of
// memory), a GPU by its allocator. Every setting in a process of its own.
// Run: node bench/memory-model.ts [--device cuda] [--only float32] [--runs 2]
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { makeBatch, NO_TARGET, type Segment } from '../src/model/batch.ts';
import type { OneVisionConfig } from '../src/model/config.ts';
import { createOneVision } from '../src/model/onevision.ts';
import { deviceMemory, resetPeakMemory, setNumThreads } from '../src/tensor/index.ts';
import { type TrainConfig, TrainConfigSchema, type TrainSettings } from '../src/train/config.ts';
import type { AssembledPack } from '../src/train/data/segments.ts';
import { Learner } from '../src/train/learner.ts';
import { planMemory } from '../src/train/price/memory.ts';
import { workOf } from '../src/train/price/work.ts';
import { trainStep } from '../src/train/step.ts';
import { SMALL } from '../test/support/model.ts';

const LARGE_VOCABULARY: OneVisionConfig = {
  ...SMALL,
  vision: {
    ...SMALL.vision,
    depth: 4,
    hiddenSize: 256,
    numHeads: 4,
    intermediateSize: 1024,
    patchSize: 14,
  },
  text: {
    ...SMALL.text,
    vocabSize: 49_152,
    hiddenSize: 384,
    intermediateSize: 1152,
    numLayers: 6,
    numHeads: 6,
    numKvHeads: 2,
    headDim: 64,
    maxPositions: 4096,
  },
};
/** bfloat16 is slow on processors without it: fewer tokens, no logits in chunks. */
const SMALL_VOCABULARY: OneVisionConfig = {
  ...LARGE_VOCABULARY,
  text: { ...LARGE_VOCABULARY.text, vocabSize: 4096, numLayers: 4 },
};
const TINY: OneVisionConfig = {
  ...SMALL_VOCABULARY,
  text: { ...SMALL_VOCABULARY.text, vocabSize: 64, numLayers: 1 },
};
const GRID = 24;

interface Setting {
  readonly model: OneVisionConfig;
  readonly numImages: number;
  readonly train: Partial<TrainSettings>;
}
const FULL = { vision: 'full', language: 'full' } as const;
const large = (train: Partial<TrainSettings>): Setting => ({
  model: LARGE_VOCABULARY,
  numImages: 4,
  train,
});
const half = (train: Partial<TrainSettings>): Setting => ({
  model: SMALL_VOCABULARY,
  numImages: 2,
  train: { precision: 'bfloat16', ...train },
});
const SETTINGS: Readonly<Record<string, Setting>> = {
  'float32, chunks': large({}),
  'float32, chunks, full': large({ recompute: FULL }),
  'float32, chunks, selective': large({
    recompute: { vision: 'selective', language: 'selective' },
  }),
  'float32, chunks, adapters': large({
    trainable: ['merger', 'language'],
    lora: { rank: 16, parts: ['language'] },
    recompute: { language: 'full' },
  }),
  bfloat16: half({}),
  'bfloat16, full': half({ recompute: FULL }),
  'bfloat16, adapters': half({
    trainable: ['merger', 'language'],
    lora: { rank: 16, parts: ['language'] },
  }),
  'stochastic, full': half({ precision: 'bfloat16-stochastic', recompute: FULL }),
};

function makePack(config: OneVisionConfig, key: string, numImages: number): AssembledPack {
  const random = createRandom('memory', key);
  const side = GRID;
  const segments: Segment[] = Array.from({ length: numImages }, () => {
    const imageTokens = (side * side) / 4;
    const numTokens = 512;
    const inputIds = Int32Array.from({ length: numTokens }, (_, i) =>
      i < imageTokens ? config.imageTokenId : 10 + random.int(config.text.vocabSize - 10),
    );
    const targets = inputIds.map((_, i) =>
      i < imageTokens ? NO_TARGET : (inputIds[i + 1] ?? NO_TARGET),
    );
    const pixels = new Float32Array(side * side * 588).fill(0.1);
    return { inputIds, targets, images: [{ pixels, gridH: side, gridW: side }] };
  });
  const batch = makeBatch(segments);
  const lossWeights = new Float32Array(batch.inputIds.length).fill(1);
  const names = segments.map((_, i) => `${key}-${i}`);
  return { key, batch: { lossWeights, ...batch }, uids: names, sources: names, skipped: [] };
}

const status = (key: string): number => {
  const line = readFileSync('/proc/self/status', 'utf8').match(
    new RegExp(`^${key}:\\s+(\\d+)`, 'm'),
  );
  return Number(line?.[1]) * 1024;
};

/** Peak bytes of a step of two micro-batches beyond what was there before the model. */
function measure({ model: config, numImages, train }: Setting, device: string): number {
  const settings = trainConfig(train);
  const packs = ['a', 'b'].map((key) => makePack(config, key, numImages));
  const before = device === 'cpu' ? status('RssAnon') : deviceMemory(device).sizeBytes;
  const dtype = settings.precision === 'float32' ? 'float32' : 'bfloat16';
  using model = createOneVision(config, { seed: 1, dtype, device });
  using learner = new Learner(model, settings);
  if (device === 'cpu') writeFileSync('/proc/self/clear_refs', '5');
  else resetPeakMemory(device);
  const { recompute } = settings;
  trainStep(packs, 1e-4, { ...learner, microBatchPacks: 1, recompute, clip: 1 });
  const { peakBytes } =
    device === 'cpu' ? { peakBytes: status('VmHWM') - status('RssFile') } : deviceMemory(device);
  return peakBytes - before;
}

function predict({ model, numImages, train }: Setting, device: string): number {
  const work = workOf(makePack(model, 'a', numImages).batch);
  return planMemory(model, trainConfig(train), work, { onProcessor: device === 'cpu' }).peak;
}

function trainConfig(train: Partial<TrainSettings>): TrainConfig {
  return TrainConfigSchema.parse({ steps: 1, packsPerStep: 2, optimizer: { lr: 1e-4 }, ...train });
}

const { values } = parseArgs({
  options: {
    setting: { type: 'string' },
    only: { type: 'string' },
    runs: { type: 'string', default: '1' },
    device: { type: 'string', default: 'cpu' },
  },
});
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0).padStart(6);
const chosen = SETTINGS[values.setting ?? ''];
if (chosen !== undefined) {
  setNumThreads(1);
  // Kernels, their threads and tables are there before the measurement.
  measure({ ...chosen, model: TINY, numImages: 1 }, values.device);
  globalThis.gc?.();
  console.log(measure(chosen, values.device));
} else {
  console.log('setting                      predicted  measured, MiB');
  for (const [name, setting] of Object.entries(SETTINGS)) {
    if (!name.includes(values.only ?? '')) continue;
    const flags = [
      '--disable-warning=ExperimentalWarning',
      '--expose-gc',
      '--max-semi-space-size=1',
    ];
    const args = [...flags, fileURLToPath(import.meta.url), '--device', values.device];
    // Freed blocks go back to the system at once; the heap of the C library would hide them.
    const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '65536', OMP_NUM_THREADS: '1' };
    const predicted = predict(setting, values.device);
    for (let count = 0; count < Number(values.runs); count += 1) {
      const child = [...args, '--setting', name];
      const run = spawnSync(process.execPath, child, { encoding: 'utf8', env });
      if (run.status !== 0) throw new Error(run.stderr);
      const measured = Number(run.stdout);
      const error = (100 * (predicted / measured - 1)).toFixed(1).padStart(6);
      console.log(`${name.padEnd(28)}  ${mib(predicted)}     ${mib(measured)}  ${error} %`);
    }
  }
}
