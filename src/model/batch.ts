// What a model computes on: arrays on the host, several segments laid end to end. No tensors here.
// Shapes: T tokens, S segments, P patches, I images.

import { OneVisionError } from '../core/errors.ts';
import type { Patches } from '../image/patchify.ts';
import { cumulativeLengths } from '../nn/segments.ts';
import { NO_TARGET } from '../text/chat-template.ts';

export { NO_TARGET };

/** One or several packs, concatenated. Segments never see each other. */
export interface Batch {
  /** [T] token ids, image tokens included. */
  readonly inputIds: Int32Array;
  /** [T] the token to predict AT each position, or −100. */
  readonly targets: Int32Array;
  /** [T] positions, from 0 in every segment. */
  readonly positions: Int32Array;
  /** [S + 1] first token of each segment, then T. */
  readonly cuSeqlens: Int32Array;
  /** [P, 3 · patchSize²] in merge-block order. */
  readonly pixels: Float32Array;
  /** [I · 3] frames, height and width in patches for each image, in order of image tokens. */
  readonly grids: Int32Array;
  /** [T] weight of each target in the loss; without it each counts 1. */
  readonly lossWeights?: Float32Array;
}

/** One sample made ready: its tokens, and its images and videos in order of their tokens. */
export interface Segment {
  readonly inputIds: Int32Array;
  /** Without targets the segment is context only (a prompt). */
  readonly targets?: Int32Array;
  readonly images: readonly Patches[];
  readonly lossWeights?: Float32Array;
}

/** Lay segments end to end. Positions restart in every segment. */
export function makeBatch(segments: readonly Segment[]): Batch {
  const cuSeqlens = cumulativeLengths(segments.map(({ inputIds }) => inputIds.length));
  const numTokens = cuSeqlens[segments.length] as number;
  const inputIds = new Int32Array(numTokens);
  const targets = new Int32Array(numTokens).fill(NO_TARGET);
  const positions = new Int32Array(numTokens);
  const lossWeights = new Float32Array(numTokens).fill(1);
  for (const [i, segment] of segments.entries()) {
    const start = cuSeqlens[i] as number;
    inputIds.set(segment.inputIds, start);
    if (segment.targets !== undefined) targets.set(segment.targets, start);
    if (segment.lossWeights !== undefined) lossWeights.set(segment.lossWeights, start);
    for (let j = 0; j < segment.inputIds.length; j++) positions[start + j] = j;
  }
  const images = segments.flatMap((segment) => segment.images);
  const batch = { inputIds, targets, positions, cuSeqlens, ...joinImages(images) };
  const isWeighted = segments.some((segment) => segment.lossWeights !== undefined);
  return isWeighted ? { ...batch, lossWeights } : batch;
}

function joinImages(images: readonly Patches[]): { pixels: Float32Array; grids: Int32Array } {
  const pixels = new Float32Array(images.reduce((sum, image) => sum + image.pixels.length, 0));
  let offset = 0;
  for (const image of images) {
    pixels.set(image.pixels, offset);
    offset += image.pixels.length;
  }
  return {
    pixels,
    grids: Int32Array.from(images.flatMap((i) => [i.frames ?? 1, i.gridH, i.gridW])),
  };
}

/** Positions that predict a token, in order. */
export function targetPositions(targets: Int32Array): Int32Array {
  const out = new Int32Array(targets.length);
  let count = 0;
  for (let i = 0; i < targets.length; i++) {
    if (targets[i] !== NO_TARGET) out[count++] = i;
  }
  return out.slice(0, count);
}

/**
 * Check that arrays agree with one another before any tensor is made.
 * @throws OneVisionError 'data' naming the array, its length and the length expected.
 */
export function checkBatch(batch: Batch, patchLength: number): void {
  const numTokens = batch.inputIds.length;
  const numPatches = numGridPatches(batch.grids);
  const lengths: readonly (readonly [string, number, number])[] = [
    ['targets', batch.targets.length, numTokens],
    ['positions', batch.positions.length, numTokens],
    ['lossWeights', batch.lossWeights?.length ?? numTokens, numTokens],
    ['last of cuSeqlens', batch.cuSeqlens.at(-1) ?? -1, numTokens],
    ['pixels', batch.pixels.length, numPatches * patchLength],
  ];
  for (const [name, came, expected] of lengths) {
    if (came === expected) continue;
    throw new OneVisionError(
      'data',
      `expected ${expected} for ${name} of the batch, came ${came}`,
      {
        hint: 'all token arrays have one entry per token; pixels follow the grids',
      },
    );
  }
}

/** Patches of all images together. */
export function numGridPatches(grids: Int32Array): number {
  let total = 0;
  for (let i = 0; i + 2 < grids.length; i += 3) {
    total += (grids[i] as number) * (grids[i + 1] as number) * (grids[i + 2] as number);
  }
  return total;
}
