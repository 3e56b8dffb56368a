// The original's run priced from its own statements, as a check of the arithmetic: its published sizes,
// schedule and efficiency in, its published days and dollars to compare with.

import { ONEVISION_8B } from '../../model/presets.ts';
import { type Cost, costOfFlops } from './cost.ts';
import { trainFlops } from './flops.ts';
import { findGpu, type Gpu } from './gpus.ts';
import { scaleWork, type Work } from './work.ts';

/** A row of the check. */
export interface OriginalRow {
  readonly what: string;
  readonly cost: Cost;
  readonly tokens: number;
  readonly flops: number;
}

export interface OriginalCheck {
  readonly assumptions: readonly string[];
  readonly rows: readonly OriginalRow[];
  readonly compared: readonly {
    readonly what: string;
    readonly ours: number;
    readonly published: number;
    /** (ours − published) / published. */
    readonly error: number;
  }[];
}

const NUM_GPUS = 128;
const PRICE = 0.6;
/** README of the original: 45 % HFU at a context of 8K. */
const HFU = 0.45;
const PACK_TOKENS = 8192;
const IMAGE_SHARE = 0.65;
const ALL = ['vision', 'merger', 'language'] as const;
const FULL = { vision: 'full', language: 'full' } as const;

/** Samples by length, 5.52M answered questions, cap 8192 (log of the original's packer). */
const LENGTHS: readonly (readonly [from: number, to: number, count: number])[] = [
  [36, 1024, 4_127_403],
  [1024, 2048, 1_085_218],
  [2048, 2075, 10_699],
  [2075, 4114, 205_172],
  [4114, 6153, 89_529],
  [6153, 8193, 2_712],
];

/** Work of `tokens` tokens in rows of n: attention over the row and not causal, logits of all. */
function workOfRows(tokens: number, squares: number, imagePatches: number): Work {
  const patches = tokens * IMAGE_SHARE * 4;
  return {
    tokens,
    tokenSquares: 2 * squares,
    targets: tokens,
    patches,
    patchSquares: patches * imagePatches,
    frames: patches / imagePatches,
  };
}

/**
 * Days and dollars of LLaVA-OneVision-1.5-8B from its stated efficiency.
 *
 * The instruct stage was not packed: a step of 128 GPUs waits for the longest of its samples. How long
 * follows from the published lengths and the global batch, the mean of the largest of 128 sums over
 * the mean of one.
 */
export function checkOriginal(): OriginalCheck {
  const gpu = findGpu('a800') as Gpu;
  const cluster = { gpu, numGpus: NUM_GPUS, pricePerHour: PRICE };
  const price = (flops: number, waiting = 1): Cost => costOfFlops(flops * waiting, HFU, cluster);

  const perImage = 4 * ((PACK_TOKENS * IMAGE_SHARE) / 10.6);
  const pack = workOfRows(PACK_TOKENS, PACK_TOKENS ** 2, perImage);
  const row = (what: string, work: Work, settings: 'all' | 'merger', waiting = 1): OriginalRow => {
    const trainable = settings === 'all' ? ALL : (['merger'] as const);
    const flops = trainFlops(ONEVISION_8B, work, { trainable, recompute: FULL }).hardware;
    return { what, cost: price(flops, waiting), tokens: work.tokens, flops };
  };

  const { mean, meanSquare } = moments();
  const waiting = longestOf(NUM_GPUS, Math.ceil(224 / NUM_GPUS)) / mean;
  const samples = 26e6;
  const rows = [
    row('align, LLaVA-558K', scaleWork(pack, 20_000), 'merger'),
    row('mid-train, 85M', scaleWork(pack, 70_000 * 112), 'all'),
    row(
      'instruct, 26M',
      workOfRows(samples * mean, samples * meanSquare, 4 * IMAGE_SHARE * mean),
      'all',
      waiting,
    ),
  ];
  const days = (rows[1]?.cost.hours ?? 0) / 24;
  const dollars = rows.reduce((sum, { cost }) => sum + cost.dollars, 0);
  const compare = (what: string, ours: number, published: number) => ({
    what,
    ours,
    published,
    error: (ours - published) / published,
  });
  return {
    assumptions: [
      'published: 128 A800 of 312 TFLOP/s, $0.6 an hour, 45 % HFU at 8K; the 8B; everything trained',
      'published: mid-train 70,000 steps of 112 packs of 8192; align about 20,000 packs of LLaVA-558K',
      'published: all blocks computed again in backward; instruct not packed, global batch 224',
      'published: 26M instruct samples (paper v1, which states the $16k), lengths as the packer logged',
      'assumed: the stated HFU counts attention over the whole row, not causal, and logits of all tokens',
      'assumed: 65 % of tokens are of images, 10.6 samples a pack, one image a sample',
      `assumed: a step without packing waits for the longest of ${NUM_GPUS} ranks: ` +
        `${waiting.toFixed(2)} × the mean (${mean.toFixed(0)} tokens), by the published lengths`,
      'assumed: $16k is the price of the 8B, all stages: the authors say 128 A800 for 9 days ($16.6k)',
    ],
    rows,
    compared: [compare('days of mid-train', days, 3.7), compare('dollars in all', dollars, 16_000)],
  };
}

/** Mean and mean square of the published lengths, even within each range. */
function moments(): { mean: number; meanSquare: number } {
  const total = LENGTHS.reduce((sum, [, , count]) => sum + count, 0);
  const over = (term: (from: number, to: number) => number): number =>
    LENGTHS.reduce((sum, [from, to, count]) => sum + (count / total) * term(from, to), 0);
  return {
    mean: over((from, to) => (from + to) / 2),
    meanSquare: over((from, to) => (from * from + from * to + to * to) / 3),
  };
}

/** Mean over steps of the largest of `ranks` sums of `each` lengths, for one of the sum. */
function longestOf(ranks: number, each: number): number {
  const width = 16;
  const single = new Float64Array(Math.ceil(8193 / width));
  const total = LENGTHS.reduce((sum, [, , count]) => sum + count, 0);
  for (let cell = 0; cell < single.length; cell += 1) {
    for (const [from, to, count] of LENGTHS) {
      const overlap = Math.min(to, (cell + 1) * width) - Math.max(from, cell * width);
      if (overlap > 0)
        single[cell] = (single[cell] ?? 0) + ((count / total) * overlap) / (to - from);
    }
  }
  let sums: Float64Array = single;
  for (let i = 1; i < each; i += 1) sums = convolve(sums, single);
  let below = 0;
  let mean = 0;
  for (const [cell, share] of sums.entries()) {
    const before = below ** ranks;
    below = Math.min(1, below + share);
    mean += (cell + each / 2) * width * (below ** ranks - before);
  }
  return mean / each;
}

function convolve(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length - 1);
  for (const [i, x] of a.entries()) {
    for (const [j, y] of b.entries()) out[i + j] = (out[i + j] ?? 0) + x * y;
  }
  return out;
}
