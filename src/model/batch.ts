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
  return patchesOf(grids).reduce((sum, patches) => sum + patches, 0);
}

/** Patches of each image. */
export function patchesOf(grids: Int32Array): number[] {
  return Array.from({ length: Math.floor(grids.length / 3) }, (_, image) => {
    const [frames = 0, height = 0, width = 0] = grids.subarray(3 * image, 3 * image + 3);
    return frames * height * width;
  });
}

type Images = Pick<Batch, 'pixels' | 'grids'>;

/** Some images of a batch, by their numbers, which rise. */
export function pickImages({ pixels, grids }: Images, images: readonly number[]): Images {
  const patches = patchesOf(grids);
  if (images.length === patches.length) return { pixels, grids };
  const total = patches.reduce((sum, count) => sum + count, 0);
  const ends = cumulativeLengths(patches.map((count) => (count * pixels.length) / total));
  const parts = images.map((image) => pixels.subarray(ends[image], ends[image + 1]));
  const picked = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    picked.set(part, offset);
    offset += part.length;
  }
  const sizes = images.flatMap((image) => [...grids.subarray(3 * image, 3 * image + 3)]);
  return { pixels: picked, grids: Int32Array.from(sizes) };
}
