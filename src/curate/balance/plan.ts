// Second pass of balancing: sizes in closed form, and a plan that decides on any row by itself.
import { OneVisionError } from '../../core/errors.ts';
import type { BalanceConfig } from '../config.ts';
import type { Census } from './census.ts';
import { inverseFrequency, totalWeight } from './inverse-frequency.ts';
import { languageThresholds, metaclipKeep } from './metaclip.ts';
import type { RowBatch } from './rows.ts';
import { createHeap } from './smallest.ts';

/** What the rule will yield, known before anything is written. */
export interface ExpectedSize {
  /** Rows written, repetitions included. Exact without replacement. */
  readonly rows: number;
  /** Different rows. */
  readonly distinct: number;
  /** Standard deviation of `rows` over seeds. */
  readonly deviation: number;
}

/** The decision on rows; depends on their uid, the seed and the census, not on order or shard. */
export interface BalancePlan {
  readonly expected: ExpectedSize;
  /** t of each language, of `metaclip-t`. */
  readonly thresholds?: ReadonlyMap<string, number>;
  /** How often each row of a batch is written. [numRows] */
  copies(batch: RowBatch): Uint32Array;
  /** Weight of a row, or its keep probability. */
  score(batch: RowBatch, row: number): number;
}

/** Sees each batch once, then makes the plan. */
export interface Planner {
  add(batch: RowBatch): void;
  plan(): BalancePlan;
}

type Score = (batch: RowBatch, row: number) => number;

/** @throws OneVisionError 'recipe' for a target that the rule cannot reach. */
export function createPlanner(census: Census, config: BalanceConfig, seed: number): Planner {
  const { rule, aggregate, replacement, target } = config;
  if (rule === 'metaclip-t') {
    const thresholds = languageThresholds(census, config);
    const keep = metaclipKeep(census, thresholds);
    const { add, plan } = coinPlanner(keep, keep, seed);
    return { add, plan: () => ({ ...plan(), thresholds }) };
  }
  const weight = weightOf(census, config);
  const numWanted = Math.round(target * census.numRows);
  if (!replacement) return racePlanner(weight, numWanted, seed);
  const total = rule === 'uniform' ? census.numRows : totalWeight(census, aggregate);
  return coinPlanner(weight, (batch, row) => (numWanted * weight(batch, row)) / total, seed);
}

function weightOf(census: Census, { rule, aggregate }: BalanceConfig): Score {
  if (rule === 'uniform') return () => 1;
  const weight = inverseFrequency(census, aggregate);
  return ({ offsets, concepts }, row) =>
    weight(concepts, offsets[row] as number, offsets[row + 1] as number);
}

/**
 * With e_i copies expected, row i comes ⌊e_i⌋ times, and once more when its coin is below the rest.
 * Mean e_i, never off by one or more; rows Σ e_i, distinct Σ min(1, e_i), variance Σ r(1 − r) with
 * r = e_i − ⌊e_i⌋.
 */
function coinPlanner(score: Score, expectedOf: Score, seed: number): Planner {
  let [rows, distinct, variance] = [0, 0, 0];
  return {
    add: (batch) => {
      for (let row = 0; row < batch.numRows; row++) {
        const expected = expectedOf(batch, row);
        const rest = expected - Math.floor(expected);
        rows += expected;
        distinct += Math.min(1, expected);
        variance += rest * (1 - rest);
      }
    },
    plan: () => ({
      expected: { rows, distinct, deviation: Math.sqrt(variance) },
      score,
      copies: (batch) =>
        decide(batch, (row) => {
          const expected = expectedOf(batch, row);
          const sure = Math.floor(expected);
          return sure + (batch.coin(row, seed) < expected - sure ? 1 : 0);
        }),
    }),
  };
}

/**
 * The exponential race: row i arrives at −ln(1 − u_i)/w_i, and the first `numWanted` win. The first
 * winner is i with probability w_i/Σw, the next likewise among the rest (Efraimidis & Spirakis
 * 2006). Holds 8 bytes a row. Two arrivals that are equal to the bit (one chance in 10⁸ for 10⁸
 * rows) may make one row more.
 */
function racePlanner(weight: Score, numWanted: number, seed: number): Planner {
  const arrivals = createHeap();
  let numRunning = 0;
  const arrival: Score = (batch, row) => {
    const own = weight(batch, row);
    if (!(own > 0)) return Number.POSITIVE_INFINITY;
    return -Math.log1p(-batch.coin(row, seed)) / own;
  };
  return {
    add: (batch) => {
      for (let row = 0; row < batch.numRows; row++) {
        const time = arrival(batch, row);
        if (time < Number.POSITIVE_INFINITY) numRunning += 1;
        arrivals.push(time);
      }
    },
    plan: () => {
      const last = arrivals.smallest(numWanted);
      const rows = Math.min(numWanted, numRunning);
      return {
        expected: { rows, distinct: rows, deviation: 0 },
        score: weight,
        copies: (batch) =>
          decide(batch, (row) => {
            const time = arrival(batch, row);
            return time <= last && time < Number.POSITIVE_INFINITY ? 1 : 0;
          }),
      };
    },
  };
}

function decide(batch: RowBatch, copiesOf: (row: number) => number): Uint32Array {
  const copies = new Uint32Array(batch.numRows);
  for (let row = 0; row < batch.numRows; row++) {
    const times = copiesOf(row);
    if (times > 0xffff_ffff) {
      throw new OneVisionError(
        'recipe',
        `balance: expected fewer than 2^32 copies of a row, came ${times} of ${batch.uid(row)}`,
        { hint: 'lower the target, or draw without replacement' },
      );
    }
    copies[row] = times;
  }
  return copies;
}
