// Samples in a seeded random order, each with its length beside it, for any number of them.

import { fits, type Problem } from './problem.ts';
import { bitsOf, nextState, unitOf } from './shuffle.ts';

export interface Stream {
  readonly samples: Uint32Array;
  readonly lengths: Uint16Array | Uint32Array;
}

/** Samples dealt to one stretch of the order; few enough for a processor's cache. */
const STRETCH = 8192;
const MAX_STRETCHES = 4096;

/**
 * Draws samples in random order. They are dealt like cards: in every round each stretch of the order
 * gets one, which one is random; then every stretch is shuffled in place. That reads the samples
 * once, writes where a cache can follow, and spreads what came in a row evenly. The lengths travel
 * along, so that reading the stream jumps nowhere. 6 or 8 bytes a sample.
 */
export function drawStream(problem: Problem, seed: number): Stream {
  const { lead, items, numItems, leadCapacity } = problem;
  const samples = new Uint32Array(numItems);
  const lengths = leadCapacity < 65_536 ? new Uint16Array(numItems) : new Uint32Array(numItems);
  const total = items?.length ?? lead.length;
  const takesAll = total === numItems;
  // A power of two of stretches; what is left after the last whole round is shuffled in at the end.
  const bits = Math.ceil(Math.log2(Math.min(MAX_STRETCHES, Math.max(1, numItems / STRETCH))));
  const mask = (1 << bits) - 1;
  const rounds = numItems >>> bits;
  const dealt = rounds << bits;
  let cursor = 0;
  let round = 0;
  let state = seed | 0;
  // Of the round: card c goes to stretch c · factor + offset, a permutation, as the factor is odd.
  let factor = 1;
  let offset = 0;
  for (let i = 0; i < total; i += 1) {
    const sample = items?.[i] ?? i;
    if (!takesAll && !fits(problem, sample)) continue;
    const card = cursor & mask;
    if (card === 0) {
      state = nextState(state);
      const random = bitsOf(state);
      factor = random | 1;
      offset = random >> 16;
      round = cursor >>> bits;
    }
    const stretch = (Math.imul(card, factor) + offset) & mask;
    const slot = cursor < dealt ? stretch * rounds + round : cursor;
    samples[slot] = sample;
    lengths[slot] = lead[sample] ?? 0;
    cursor += 1;
  }
  const stream = { samples, lengths };
  for (let from = 0; from < dealt; from += rounds) {
    state = shuffleStretch(stream, from, from + rounds, from + 1, state);
  }
  shuffleStretch(stream, 0, numItems, dealt, state);
  return stream;
}

/**
 * Fisher–Yates upwards: every sample from `first` to `to` swaps with one at or before it.
 * Returns the last state of the random numbers.
 */
function shuffleStretch(
  { samples, lengths }: Stream,
  from: number,
  to: number,
  first: number,
  start: number,
): number {
  let state = start;
  for (let last = first; last < to; last += 1) {
    state = nextState(state);
    const other = from + Math.floor(unitOf(state) * (last - from + 1));
    const sample = samples[last] ?? 0;
    samples[last] = samples[other] ?? 0;
    samples[other] = sample;
    const length = lengths[last] ?? 0;
    lengths[last] = lengths[other] ?? 0;
    lengths[other] = length;
  }
  return state;
}
