// Arranges an order so that all packs of a global step cost about the same, and says how long ranks
// would wait for each other.

import { hashUint32 } from '../../core/hash.ts';
import { shuffle } from '../fit/shuffle.ts';
import type { PackOrder } from '../order.ts';

export interface StepShape {
  /** Packs in one global step. */
  readonly packsPerStep: number;
  /** Ranks that share them; divides packsPerStep. */
  readonly ranks: number;
}

/** Steps within which packs may change places; the mix stays as even as this is short. */
const WINDOW_STEPS = 256;

/**
 * Rearranges an order within windows of 256 steps: packs sorted by cost are cut into steps, dealt to
 * the ranks so that each gets the same sum, and the steps shuffled by the seed. Rank r of step s
 * has the entries from `s·packsPerStep + r·packsPerStep / ranks` on.
 *
 * @param costs of each pack. `[packs]`
 */
export function balanceSteps(
  order: PackOrder,
  costs: Float64Array,
  shape: StepShape,
  seed: number,
): PackOrder {
  const { packsPerStep } = shape;
  const numSteps = Math.floor(order.length / 2 / packsPerStep);
  const balanced = order.slice();
  for (let first = 0; first < numSteps; first += WINDOW_STEPS) {
    const steps = Math.min(WINDOW_STEPS, numSteps - first);
    const from = first * packsPerStep;
    const costAt = (entry: number): number => costs[order[2 * entry] ?? 0] ?? 0;
    const entries = Uint32Array.from({ length: steps * packsPerStep }, (_, i) => from + i);
    entries.sort((a, b) => costAt(b) - costAt(a) || a - b);
    const turns = Uint32Array.from({ length: steps }, (_, step) => step);
    shuffle(turns, hashUint32('steps', seed, first));
    turns.forEach((turn, step) => {
      const own = entries.subarray(turn * packsPerStep, (turn + 1) * packsPerStep);
      const places = deal(shape, hashUint32('ranks', seed, first + step));
      own.forEach((entry, i) => {
        const place = from + step * packsPerStep + (places[i] ?? 0);
        balanced[2 * place] = order[2 * entry] ?? 0;
        balanced[2 * place + 1] = order[2 * entry + 1] ?? 0;
      });
    });
  }
  return balanced;
}

/** Places of a step's packs, costliest first: to the ranks in turn, every other turn backwards. */
function deal({ packsPerStep, ranks }: StepShape, seed: number): Uint32Array {
  const each = packsPerStep / ranks;
  const seats = Uint32Array.from({ length: ranks }, (_, rank) => rank);
  shuffle(seats, seed);
  return Uint32Array.from({ length: packsPerStep }, (_, i) => {
    const turn = Math.floor(i / ranks);
    const seat = turn % 2 === 0 ? i % ranks : ranks - 1 - (i % ranks);
    return (seats[seat] ?? 0) * each + turn;
  });
}

/**
 * Share of the time that ranks compute when each step waits for the slowest: Σ mean / Σ max of the
 * ranks' costs over all whole steps. 1 when there is no step.
 */
export function syncEfficiency(order: PackOrder, costs: Float64Array, shape: StepShape): number {
  const { packsPerStep, ranks } = shape;
  const each = packsPerStep / ranks;
  let sumOfMeans = 0;
  let sumOfMaxima = 0;
  for (let first = 0; first + packsPerStep <= order.length / 2; first += packsPerStep) {
    let total = 0;
    let most = 0;
    for (let rank = 0; rank < ranks; rank += 1) {
      let own = 0;
      for (let i = 0; i < each; i += 1) {
        own += costs[order[2 * (first + rank * each + i)] ?? 0] ?? 0;
      }
      total += own;
      most = Math.max(most, own);
    }
    sumOfMeans += total / ranks;
    sumOfMaxima += most;
  }
  return sumOfMaxima === 0 ? 1 : sumOfMeans / sumOfMaxima;
}
