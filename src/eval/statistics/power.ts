// What a benchmark of n items can tell apart: power, and the smallest difference it would notice.
import { normalCdf, normalQuantile } from './normal.ts';

export interface TestSettings {
  /** Chance of a false finding, two-sided. Default 0.05. */
  readonly alpha?: number;
  /** Chance of noticing a difference that is there. Default 0.8. */
  readonly power?: number;
}

/**
 * Standard deviation of the difference of two scores on one item, from both accuracies and the
 * correlation of right and wrong between the runs (0 = independent items).
 */
export function pairedDeviation(first: number, second: number, correlation: number = 0): number {
  const [a, b] = [first * (1 - first), second * (1 - second)];
  return Math.sqrt(Math.max(0, a + b - 2 * correlation * Math.sqrt(a * b)));
}

/** Power of the two-sided z-test of a mean difference over n items. */
export function powerOf(
  difference: number,
  deviation: number,
  n: number,
  { alpha = 0.05 }: TestSettings = {},
): number {
  const shift = (difference * Math.sqrt(n)) / deviation;
  const critical = normalQuantile(1 - alpha / 2);
  return normalCdf(shift - critical) + normalCdf(-shift - critical);
}

/**
 * The smallest true difference that n items notice with the wanted power, by bisection on
 * {@link powerOf}.
 *
 * @param deviation standard deviation of an item's difference; with clusters give
 * `SE · √n`, which counts what they share
 */
export function minimumDetectableDifference(
  deviation: number,
  n: number,
  { alpha = 0.05, power = 0.8 }: TestSettings = {},
): number {
  if (n <= 0 || deviation === 0) return deviation === 0 ? 0 : Number.POSITIVE_INFINITY;
  let low = 0;
  let high = (deviation * 40) / Math.sqrt(n);
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (powerOf(middle, deviation, n, { alpha }) < power) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
