// Brings the number of packs to a multiple, so that every rank gets as many packs in every step, by
// moving samples into further packs. Nothing is dropped and nothing doubled.

import type { Packs } from './problem.ts';

/** Needs of a sample: one list for each budget, and what a pack holds of it. */
export interface Budget {
  readonly needs: Uint32Array;
  readonly capacity: number;
}

/**
 * Adds `numNew` packs. A new pack is filled to the common mean with one sample each from packs all
 * over the plan, those of most samples first, so that it costs about what the others do. Undefined
 * when that cannot be, as with fewer samples than packs.
 */
export function addPacks(
  packs: Packs,
  numNew: number,
  budgets: readonly Budget[],
  segments: number,
): Packs | undefined {
  const numPacks = packs.numPacks + numNew;
  if (numPacks > packs.members.length) return undefined;
  const means = budgets.map(({ needs }) => sumOf(packs.members, needs) / numPacks);
  const sizes = new Uint32Array(packs.numPacks);
  for (let pack = 0; pack < packs.numPacks; pack += 1) {
    sizes[pack] = (packs.starts[pack + 1] ?? 0) - (packs.starts[pack] ?? 0);
  }
  const fullest = Uint32Array.from(sizes.keys()).sort(
    (a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b,
  );
  const most = Math.min(segments, Math.floor((packs.members.length - packs.numPacks) / numNew));
  const added: number[][] = [];
  let turn = 0;
  /** Moves one sample of the next pack that can spare it, if it fits; undefined: not this one. */
  const give = (sums: readonly number[]): number | undefined => {
    const from = fullest[turn % fullest.length] ?? 0;
    turn += 1;
    const size = sizes[from] ?? 0;
    const sample = packs.members[(packs.starts[from] ?? 0) + size - 1] ?? 0;
    const fits = budgets.every(
      ({ needs, capacity }, i) => (sums[i] ?? 0) + (needs[sample] ?? 0) <= capacity,
    );
    if (size < 2 || !fits) return undefined;
    sizes[from] = size - 1;
    return sample;
  };
  while (added.length < numNew) {
    const pack: number[] = [];
    let sums = budgets.map(() => 0);
    const short = (): boolean => sums.every((sum, i) => sum === 0 || sum < (means[i] ?? 0));
    for (let tries = 0; tries < fullest.length && pack.length < most && short(); tries += 1) {
      const sample = give(sums);
      if (sample === undefined) continue;
      pack.push(sample);
      sums = sums.map((sum, i) => sum + (budgets[i]?.needs[sample] ?? 0));
    }
    if (pack.length === 0) return undefined;
    added.push(pack);
  }
  return rebuilt(packs, sizes, added);
}

function sumOf(members: Uint32Array, needs: Uint32Array): number {
  let sum = 0;
  for (const sample of members) sum += needs[sample] ?? 0;
  return sum;
}

/** The first `sizes[p]` samples of each pack, then the new packs. Written over the old arrays. */
function rebuilt(packs: Packs, sizes: Uint32Array, added: readonly number[][]): Packs {
  const { members } = packs;
  const numPacks = packs.numPacks + added.length;
  const starts = new Uint32Array(numPacks + 1);
  let cursor = 0;
  for (let pack = 0; pack < packs.numPacks; pack += 1) {
    const from = packs.starts[pack] ?? 0;
    members.copyWithin(cursor, from, from + (sizes[pack] ?? 0));
    cursor += sizes[pack] ?? 0;
    starts[pack + 1] = cursor;
  }
  added.forEach((pack, i) => {
    members.set(pack, cursor);
    cursor += pack.length;
    starts[packs.numPacks + i + 1] = cursor;
  });
  return { numPacks, starts, members };
}
