// How many samples of each input a pack set gets, and which: exact counts, chosen by seeded hash.

import { OneVisionError } from '../core/errors.ts';

/** How much is drawn from one input. Exactly one of the three; none means every sample once. */
export interface Share {
  /** Samples to draw. More than there are repeats them. */
  readonly count?: number | undefined;
  /** Times the input is drawn whole; a fraction draws a part. */
  readonly epochs?: number | undefined;
  /** Part of `total`, relative to the other weights. */
  readonly weight?: number | undefined;
}

/**
 * Samples to draw from each input. Weighted inputs share what `total` leaves after the counted
 * ones, by largest remainder, so that the counts are exact and sum to the total.
 *
 * @param available samples in each input.
 * @param total samples of the whole set; needed only where weights are used.
 * @throws OneVisionError 'recipe' for weights without a total, or a total the counts exceed.
 */
export function drawCounts(
  shares: readonly Share[],
  available: readonly number[],
  total: number | undefined,
): number[] {
  const counts = shares.map((share, input) => {
    if (share.weight !== undefined) return 0;
    return share.count ?? Math.round((share.epochs ?? 1) * (available[input] ?? 0));
  });
  const weights = shares.map((share) => share.weight ?? 0);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  if (weightSum > 0) {
    const left = (total ?? 0) - counts.reduce((sum, count) => sum + count, 0);
    if (total === undefined || left < 0) {
      throw new OneVisionError(
        'recipe',
        `expected samples ≥ the counted inputs for a mix with weights, came ${total ?? 'none'}`,
        { hint: 'set pack.samples, or give every input a count or epochs instead of a weight' },
      );
    }
    apportion(weights, weightSum, left).forEach((count, input) => {
      counts[input] = (counts[input] ?? 0) + count;
    });
  }
  counts.forEach((count, input) => {
    if (count > 0 && (available[input] ?? 0) === 0) {
      throw new OneVisionError('data', `expected samples in input ${input} of the mix, came none`, {
        hint: 'run the stage that writes it, or take it out of the mix',
      });
    }
  });
  return counts;
}

/** Splits `total` by weights into integers that sum to it (largest remainder). */
function apportion(weights: readonly number[], weightSum: number, total: number): number[] {
  const exact = weights.map((weight) => (weight / weightSum) * total);
  const counts = exact.map(Math.floor);
  const missing = total - counts.reduce((sum, count) => sum + count, 0);
  exact
    .map((value, input) => ({ input, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest || a.input - b.input)
    .slice(0, missing)
    .forEach(({ input }) => {
      counts[input] = (counts[input] ?? 0) + 1;
    });
  return counts;
}

/**
 * Times each sample of one input is drawn: every sample ⌊count / n⌋ times, and the rest of the
 * count goes to the samples with the smallest coins.
 *
 * @param coins a seeded hash of each sample's uid.
 */
export function drawCopies(coins: ArrayLike<number>, count: number): Uint32Array {
  if (coins.length === 0) return new Uint32Array();
  const copies = new Uint32Array(coins.length).fill(Math.floor(count / coins.length));
  const rest = count % coins.length;
  if (rest === 0) return copies;
  const order = Uint32Array.from(coins, (_, index) => index);
  order.sort((a, b) => (coins[a] ?? 0) - (coins[b] ?? 0) || a - b);
  for (const index of order.subarray(0, rest)) copies[index] = (copies[index] ?? 0) + 1;
  return copies;
}

/** Every draw of a sample into a set: which sample, and how often it was drawn before. `[draws]` */
export interface Draws {
  readonly samples: Uint32Array;
  readonly copies: Uint16Array;
}

/**
 * Draws from several inputs: `counts[i]` samples of the input that is `firsts[i] … firsts[i + 1]`.
 * @param coins as in `drawCopies`, over all inputs.
 */
export function drawMix(
  coins: Uint32Array,
  firsts: readonly number[],
  counts: readonly number[],
): Draws {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const samples = new Uint32Array(total);
  const copies = new Uint16Array(total);
  let draw = 0;
  counts.forEach((count, input) => {
    const first = firsts[input] ?? 0;
    drawCopies(coins.subarray(first, firsts[input + 1]), count).forEach((times, index) => {
      for (let copy = 0; copy < times; copy += 1, draw += 1) {
        samples[draw] = first + index;
        copies[draw] = copy;
      }
    });
  });
  return { samples, copies };
}
