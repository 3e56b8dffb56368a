// Two runs on the same items: exact McNemar, a paired bootstrap over clusters, Holm over a table.

import { OneVisionError } from '../../core/errors.ts';
import { createRandom } from '../../core/hash.ts';
import { type BootstrapOptions, type Interval, quantile, resampledMeans } from './intervals.ts';

/** The items of one run, by uid. */
export type Scores = ReadonlyMap<string, number>;

export interface Comparison {
  readonly items: number;
  /** Mean of second − first. */
  readonly difference: number;
  /** 95 %, from the paired bootstrap. */
  readonly interval: Interval;
  readonly pValue: number;
  readonly method: 'mcnemar-exact' | 'paired-bootstrap';
  /** Items that only the first, only the second has right; for right-or-wrong scores. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/**
 * Compares two runs item by item: exact McNemar where every score is 0 or 1 and every item its own
 * cluster, else a bootstrap that draws whole clusters.
 *
 * @throws OneVisionError `data` when the runs do not hold the same items
 */
export function compareRuns(
  first: Scores,
  second: Scores,
  clusterOf: (uid: string) => string = (uid) => uid,
  options: BootstrapOptions = {},
): Comparison {
  const uids = [...first.keys()];
  const lacking = uids.filter((uid) => !second.has(uid)).length;
  if (uids.length === 0 || lacking > 0 || second.size !== first.size) {
    throw new OneVisionError(
      'data',
      `Comparison: expected the same items in both runs, came ${first.size} and ${second.size}, ` +
        `${lacking} of the first are not in the second.`,
      { hint: 'compare runs of one benchmark with the same data and limit' },
    );
  }
  const pairs = uids.map((uid) => [first.get(uid) ?? 0, second.get(uid) ?? 0] as const);
  const differences = pairs.map(([a, b]) => b - a);
  const clusters = uids.map(clusterOf);
  const onlyFirst = pairs.filter(([a, b]) => a > b).length;
  const onlySecond = pairs.filter(([a, b]) => b > a).length;
  const isBinary = pairs.every((pair) => pair.every((score) => score === 0 || score === 1));
  const isExact = isBinary && new Set(clusters).size === clusters.length;
  const bootstrap = pairedBootstrap(differences, clusters, options);
  return {
    items: uids.length,
    difference: differences.reduce((sum, value) => sum + value, 0) / uids.length,
    interval: bootstrap.interval,
    pValue: isExact ? mcnemarExact(onlyFirst, onlySecond) : bootstrap.pValue,
    method: isExact ? 'mcnemar-exact' : 'paired-bootstrap',
    onlyFirst,
    onlySecond,
  };
}

/**
 * Two-sided exact McNemar test: twice the binomial tail of the smaller count of discordant pairs
 * at one half, at most 1. Nothing discordant gives 1.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const few = Math.min(onlyFirst, onlySecond);
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= few; k++) {
    logTerm += Math.log((n - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Percentile interval of the mean difference and a p-value from the share of resampled means on the
 * other side of zero, both drawn by whole clusters. Seeded; fewer than two clusters say nothing.
 */
export function pairedBootstrap(
  differences: readonly number[],
  clusters: readonly string[],
  { resamples = 2000, seed = 1, level = 0.95 }: BootstrapOptions = {},
): { interval: Interval; pValue: number } {
  const random = createRandom('paired-bootstrap', seed);
  const means = resampledMeans(differences, clusters, random, resamples);
  if (means === undefined) return { interval: { low: -1, high: 1 }, pValue: 1 };
  const tail = (1 - level) / 2;
  const below = means.filter((mean) => mean <= 0).length;
  const above = means.filter((mean) => mean >= 0).length;
  return {
    interval: { low: quantile(means, tail), high: quantile(means, 1 - tail) },
    pValue: Math.min(1, (2 * (Math.min(below, above) + 1)) / (resamples + 1)),
  };
}

/**
 * Holm's step-down correction: p-values, adjusted so that comparing each with 0.05 keeps the chance
 * of any false finding in the table at 5 %. Same order as given.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index);
  order.sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, rank) => {
    const corrected = Math.min(1, (pValues[index] ?? 0) * (pValues.length - rank));
    largest = Math.max(largest, corrected);
    adjusted[index] = largest;
  });
  return adjusted;
}
