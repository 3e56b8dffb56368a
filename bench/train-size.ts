// A released size trained for some steps on a device, from random weights, on packs shaped like the
// caption mix: tokens and samples a second, MFU, where the time of a step goes, the peak of memory.
// Run: node bench/train-size.ts --device cuda --size 4b --setting full,lora,align
import { parseArgs } from 'node:util';
import { createRandom } from '../src/core/hash.ts';
import { makeBatch, NO_TARGET, type Segment } from '../src/model/batch.ts';
import type { OneVisionConfig } from '../src/model/config.ts';
import { OneVision } from '../src/model/onevision.ts';
import { ONEVISION_2B, ONEVISION_4B, ONEVISION_8B, RICE_VIT_L } from '../src/model/presets.ts';
import {
  createGenerator,
  noGrad,
  peakBytes,
  profile,
  resetPeakMemory,
  synchronize,
} from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';
import { type TrainConfig, TrainConfigSchema, type TrainSettings } from '../src/train/config.ts';
import type { AssembledPack } from '../src/train/data/segments.ts';
import { Learner } from '../src/train/learner.ts';
import { trainFlops } from '../src/train/price/flops.ts';
import { planMemory } from '../src/train/price/memory.ts';
import { workOf } from '../src/train/price/work.ts';
import { type StepResult, trainStep } from '../src/train/step.ts';
import { peakFlopsOf } from '../src/train/watch/gauge.ts';
import { drawMix } from './support/length-mixes.ts';

const TINY: OneVisionConfig = {
  ...ONEVISION_4B,
  vision: { ...RICE_VIT_L, depth: 2, hiddenSize: 128, numHeads: 2, intermediateSize: 256 },
  text: { ...ONEVISION_4B.text, vocabSize: 152_000, numLayers: 2, hiddenSize: 128 },
};
const SIZES = new Map([
  ['tiny', TINY],
  ['2b', ONEVISION_2B],
  ['4b', ONEVISION_4B],
  ['8b', ONEVISION_8B],
]);
const half = { precision: 'bfloat16', optimizer: { lr: 1e-5, eps: 1e-5 } } as const;
const everything = { vision: 'full', language: 'full' } as const;
/** Ways to train. */
const SETTINGS: Readonly<Record<string, Omit<TrainSettings, 'steps'>>> = {
  plain: half,
  selective: { ...half, recompute: { vision: 'selective', language: 'selective' } },
  full: { ...half, recompute: everything },
  stochastic: { ...half, precision: 'bfloat16-stochastic', recompute: everything },
  offload: { ...half, offload: true, recompute: everything },
  lora: { ...half, trainable: ['language'], lora: { rank: 64 }, recompute: everything },
  align: { ...half, trainable: ['merger'], recompute: everything },
};

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    size: { type: 'string', default: 'tiny' },
    setting: { type: 'string', default: 'full' },
    tokens: { type: 'string', default: '8192' },
    packs: { type: 'string', default: '1' },
    steps: { type: 'string', default: '6' },
    profile: { type: 'string' },
  },
});
const { device, size } = values;
const config = SIZES.get(size);
if (config === undefined) throw new RangeError(`--size ${[...SIZES.keys()].join(', ')}`);
const [capacity, numPacks, numSteps] = [values.tokens, values.packs, values.steps].map(Number) as [
  number,
  number,
  number,
];

/** A model with random weights, made on the device: no other place has to hold it. */
function randomModel(sizes: OneVisionConfig): OneVision {
  const generator = createGenerator(device, 1);
  const placed = { dtype: 'bfloat16', device } as const;
  return noGrad(
    () =>
      new OneVision(sizes, (_name, shape, init) => {
        if (init === 'zeros') return ops.zeros(shape, placed);
        if (init === 'ones') return ops.ones(shape, placed);
        return ops.normal_(ops.empty(shape, placed), { mean: 0, std: 0.02, generator });
      }),
  );
}

/** A pack of the caption mix: pictures are 70 % of the tokens, the text behind them is supervised. */
function drawPack(sizes: OneVisionConfig, seed: number): AssembledPack {
  const random = createRandom('train-size', seed);
  const { imageTokenId, visionStartTokenId, visionEndTokenId, vision, text } = sizes;
  const patchLength = vision.inChannels * vision.patchSize ** 2;
  const lengths = drawMix('caption', 1000, seed).tokens;
  const segments: Segment[] = [];
  let left = capacity;
  for (const length of lengths) {
    if (length > left || length < 16) continue;
    left -= length;
    // The picture is as square as its tokens allow.
    const high = Math.max(1, Math.floor(Math.sqrt(0.7 * length)));
    const wide = Math.max(1, Math.floor((0.7 * length) / high));
    const [gridH, gridW] = [2 * high, 2 * wide];
    const numText = length - high * wide - 2;
    const ids = Int32Array.from([
      visionStartTokenId,
      ...new Array<number>(high * wide).fill(imageTokenId),
      visionEndTokenId,
      ...Array.from({ length: numText }, () => random.int(Math.min(150_000, text.vocabSize))),
    ]);
    const targets = ids.map((_, i) =>
      i > high * wide + 1 && i + 1 < ids.length ? (ids[i + 1] as number) : NO_TARGET,
    );
    const noise = Float32Array.from({ length: 4096 }, () => random.normal());
    const pixels = new Float32Array(gridH * gridW * patchLength).map(
      (_, i) => noise[i % 4096] ?? 0,
    );
    segments.push({ inputIds: ids, targets, images: [{ pixels, gridH, gridW }] });
  }
  const batch = makeBatch(segments);
  const lossWeights = new Float32Array(batch.inputIds.length).fill(1);
  const names = segments.map((_, i) => `${seed}/${i}`);
  const sources = names.map(() => 'captions');
  return {
    key: `pack ${seed}`,
    batch: { ...batch, lossWeights },
    uids: names,
    sources,
    skipped: [],
  };
}

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

function measure(name: string, settings: TrainConfig, sizes: OneVisionConfig): void {
  using model = randomModel(sizes);
  using learner = new Learner(model, settings);
  const steps: (StepResult & { totalMs: number })[] = [];
  const drawn = Array.from({ length: numSteps + 1 }, (_, step) =>
    Array.from({ length: numPacks }, (_, i) => drawPack(sizes, numPacks * step + i)),
  );
  for (const [i, packs] of drawn.entries()) {
    const run = (): StepResult =>
      trainStep(packs, 1e-5, {
        ...learner,
        microBatchPacks: 1,
        recompute: settings.recompute,
        clip: 1,
      });
    const isLast = i === numSteps && values.profile !== undefined;
    if (isLast) profile(values.profile ?? '', device, run);
    if (isLast) continue;
    const start = performance.now();
    const result = run();
    synchronize(device);
    // The first step compiles kernels and takes memory.
    if (i > 0) steps.push({ ...result, totalMs: performance.now() - start });
  }
  const tokens = drawn.slice(1).map((packs) => sumOf(packs, ({ batch }) => batch.inputIds.length));
  const samples = drawn.slice(1).map((packs) => sumOf(packs, ({ uids }) => uids.length));
  const seconds = median(steps.map(({ totalMs }) => totalMs)) / 1000;
  const peak = peakBytes(device) / 2 ** 30;
  const planned = drawn.flat().map(({ batch }) => {
    return planMemory(sizes, settings, workOf(batch), { onProcessor: device === 'cpu' }).peak;
  });
  const predicted = Math.max(...planned) / 2 ** 30;
  const flops = sumOf(drawn.slice(1).flat(), ({ batch }) => {
    return trainFlops(sizes, workOf(batch), settings).model / numSteps;
  });
  const peakFlops = peakFlopsOf(device);
  const mfu =
    peakFlops === undefined ? 'n/a' : `${((100 * flops) / seconds / peakFlops).toFixed(1)} %`;
  const split = (['forwardMs', 'backwardMs', 'optimizerMs'] as const)
    .map((key) => median(steps.map((step) => step[key])).toFixed(0))
    .join(' / ');
  console.log(
    `${name.padEnd(10)} ${(sumOf(tokens, Number) / numSteps / seconds).toFixed(0).padStart(7)} tokens/s ` +
      `${(sumOf(samples, Number) / numSteps / seconds).toFixed(1).padStart(6)} samples/s, MFU ${mfu}, step ` +
      `${(1000 * seconds).toFixed(0)} ms (forward / backward / optimizer ${split}), peak ` +
      `${peak.toFixed(1)} GiB (predicted ${predicted.toFixed(1)}), loss ${steps[0]?.loss.toFixed(3)} → ${steps.at(-1)?.loss.toFixed(3)}`,
  );
}

function sumOf<T>(list: readonly T[], value: (item: T) => number): number {
  return list.reduce((sum, item) => sum + value(item), 0);
}

console.log(`${size} on ${device}, ${numPacks} packs of ${capacity} tokens a step`);
for (const name of values.setting.split(',')) {
  const settings = SETTINGS[name];
  if (settings === undefined) throw new RangeError(`--setting ${Object.keys(SETTINGS).join(',')}`);
  if (device !== 'cpu') resetPeakMemory(device);
  try {
    measure(name, TrainConfigSchema.parse({ steps: numSteps, ...settings }), config);
  } catch (error) {
    console.log(`${name.padEnd(10)} ${String(error).split('\n')[0]?.slice(0, 300)}`);
  }
}
