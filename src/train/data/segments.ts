// What the loader hands to the trainer: packs as arrays, and several packs as one batch. No files, no
// tensors. T tokens, S segments.

import { type Batch, makeBatch, NO_TARGET, type Segment } from '../../model/batch.ts';

/** One sample, encoded. */
export interface EncodedSample extends Required<Omit<Segment, 'lossWeights'>> {
  readonly uid: string;
  readonly source: string;
}

export type LossWeighting = 'token-mean' | 'sqrt-length';

/** A pack ready for a forward pass, with what logs and errors say about it. */
export interface AssembledPack {
  readonly key: string;
  readonly batch: Required<Batch>;
  /** One entry a segment. */
  readonly uids: readonly string[];
  readonly sources: readonly string[];
  readonly skipped: readonly { readonly uid: string; readonly reason: string }[];
}

/** Lays the samples of a pack end to end. */
export function joinSamples(
  key: string,
  samples: readonly EncodedSample[],
  skipped: AssembledPack['skipped'],
  lossWeighting: LossWeighting,
): AssembledPack {
  const segments = samples.map(({ inputIds, targets, images }) => ({
    inputIds,
    targets,
    images,
    lossWeights: weigh(targets, lossWeighting),
  }));
  const batch = makeBatch(segments);
  return {
    key,
    batch: { lossWeights: new Float32Array(), ...batch },
    uids: samples.map((sample) => sample.uid),
    sources: samples.map((sample) => sample.source),
    skipped,
  };
}

/**
 * Weights of the supervised tokens: 1, or n^−½ within each answer of n tokens, so that an answer
 * counts √n and long ones do not drown short ones.
 */
function weigh(targets: Int32Array, lossWeighting: LossWeighting): Float32Array {
  const weights = new Float32Array(targets.length);
  for (let start = 0; start < targets.length; start += 1) {
    let end = start;
    while (end < targets.length && (targets[end] ?? NO_TARGET) !== NO_TARGET) end += 1;
    weights.fill(lossWeighting === 'token-mean' ? 1 : 1 / Math.sqrt(end - start), start, end);
    start = Math.max(start, end - 1);
  }
  return weights;
}

/** Several batches as one; their segments stay apart. */
export function joinBatches(batches: readonly Required<Batch>[]): Required<Batch> {
  const [first] = batches;
  if (batches.length === 1 && first !== undefined) return first;
  const ends: number[] = [0];
  for (const { cuSeqlens } of batches) {
    const offset = ends.at(-1) ?? 0;
    for (const end of cuSeqlens.subarray(1)) ends.push(offset + end);
  }
  const ints = (pick: (batch: Required<Batch>) => Int32Array): Int32Array =>
    concat(Int32Array, batches.map(pick));
  const floats = (pick: (batch: Required<Batch>) => Float32Array): Float32Array =>
    concat(Float32Array, batches.map(pick));
  return {
    inputIds: ints((batch) => batch.inputIds),
    targets: ints((batch) => batch.targets),
    positions: ints((batch) => batch.positions),
    lossWeights: floats((batch) => batch.lossWeights),
    cuSeqlens: Int32Array.from(ends),
    pixels: floats((batch) => batch.pixels),
    grids: ints((batch) => batch.grids),
  };
}

/** What losses are divided by: the sum of the weights of all supervised tokens. */
export function sumWeights(batches: readonly Required<Batch>[]): number {
  let sum = 0;
  for (const { targets, lossWeights } of batches) {
    for (let i = 0; i < targets.length; i += 1) {
      if (targets[i] !== NO_TARGET) sum += lossWeights[i] ?? 0;
    }
  }
  return sum;
}

function concat<T extends Int32Array | Float32Array>(
  kind: new (length: number) => T,
  parts: readonly T[],
): T {
  const out = new kind(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
