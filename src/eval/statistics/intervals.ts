// Intervals for accuracies: Wilson, cluster-robust and cluster bootstrap. Pure arithmetic, no files.
import { createRandom, type Random } from '../../core/hash.ts';

/** Two ends of an interval, both in [0, 1]. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** z of the two-sided 95 % interval of the normal distribution. */
export const Z_95 = 1.959963984540054;

/**
 * Wilson score interval of a proportion: right where the normal approximation is not,
 * at small n and near 0 or 1.
 *
 * `(p̂ + z²/2n ± z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n)`
 *
 * @param successes number of successes, 0 ≤ successes ≤ trials
 * @param trials number of independent trials; 0 gives [0, 1], nothing is known
 * Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
 */
export function wilsonInterval(successes: number, trials: number, z: number = Z_95): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const p = successes / trials;
  const scale = 1 + (z * z) / trials;
  const centre = p + (z * z) / (2 * trials);
  const spread = z * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  return clamp((centre - spread) / scale, (centre + spread) / scale);
}

/**
 * Standard error of a mean whose items come in clusters (drawings of one concept, questions
 * about one image): `√(G/(G−1) · Σ_g (Σ_{i∈g} (x_i − x̄))²) / n`. With one item a cluster it is
 * the ordinary standard error of the mean. `NaN` with fewer than two clusters.
 *
 * Source: Liang & Zeger 1986 with the usual G/(G−1) correction; Miller, "Adding error bars to
 * evals", 2024, section 2.2.
 */
export function clusterStandardError(
  values: readonly number[],
  clusters: readonly string[],
): number {
  const sums = clusterSums(values, clusters);
  const mean = average(values);
  let squares = 0;
  for (const { sum, count } of sums.values()) squares += (sum - count * mean) ** 2;
  const correction = sums.size / (sums.size - 1);
  return sums.size < 2 ? Number.NaN : Math.sqrt(correction * squares) / values.length;
}

/** Mean ± z · cluster-robust standard error, within [0, 1]; [0, 1] with fewer than two clusters. */
export function clusterInterval(
  values: readonly number[],
  clusters: readonly string[],
  z: number = Z_95,
): Interval {
  const error = clusterStandardError(values, clusters);
  if (Number.isNaN(error)) return { low: 0, high: 1 };
  const mean = average(values);
  return clamp(mean - z * error, mean + z * error);
}

/**
 * Standard error of a macro score, Σ wᵍ · mean of group g: `√(Σ wᵍ² · SEᵍ²)`, each SEᵍ robust to the
 * clusters within its group. Groups are fixed (they are the benchmark), items are drawn. A group of
 * one cluster has no spread of its own: `NaN`.
 *
 * @param weights by group, summing to 1; default equal
 */
export function macroStandardError(
  values: readonly number[],
  groups: readonly string[],
  clusters: readonly string[],
  weights?: Readonly<Record<string, number>>,
): number {
  const members = new Map<string, { values: number[]; clusters: string[] }>();
  values.forEach((value, index) => {
    const group = groups[index] ?? '';
    const entry = members.get(group) ?? { values: [], clusters: [] };
    entry.values.push(value);
    entry.clusters.push(clusters[index] ?? '');
    members.set(group, entry);
  });
  let variance = 0;
  for (const [group, entry] of members) {
    const weight = weights === undefined ? 1 / members.size : (weights[group] ?? 0);
    if (weight !== 0)
      variance += (weight * clusterStandardError(entry.values, entry.clusters)) ** 2;
  }
  return Math.sqrt(variance);
}

/** Settings of {@link bootstrapInterval}. */
export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
  /** Share of the resampled means between the two ends. */
  readonly level?: number;
}

/**
 * Percentile bootstrap of the mean, resampling whole clusters with replacement. The same seed
 * gives the same interval. An empty list gives [0, 1]; one single cluster says nothing about
 * other clusters, so it gives [0, 1] too.
 */
export function bootstrapInterval(
  values: readonly number[],
  clusters: readonly string[],
  { resamples = 2000, seed = 1, level = 0.95 }: BootstrapOptions = {},
): Interval {
  const means = resampledMeans(values, clusters, createRandom('bootstrap', seed), resamples);
  if (means === undefined) return { low: 0, high: 1 };
  const tail = (1 - level) / 2;
  return clamp(quantile(means, tail), quantile(means, 1 - tail));
}

/** Means of whole clusters drawn with replacement, ascending; none with fewer than two clusters. */
export function resampledMeans(
  values: readonly number[],
  clusters: readonly string[],
  random: Random,
  resamples: number,
): Float64Array | undefined {
  const groups = [...clusterSums(values, clusters).values()];
  if (groups.length < 2) return undefined;
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let count = 0;
    for (let k = 0; k < groups.length; k++) {
      const group = groups[random.int(groups.length)];
      sum += group?.sum ?? 0;
      count += group?.count ?? 0;
    }
    means[r] = sum / count;
  }
  return means.sort();
}

/** Quantile of ascending numbers by linear interpolation (type 7, as R and NumPy do). */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  const place = (ascending.length - 1) * q;
  const below = ascending[Math.floor(place)] ?? Number.NaN;
  const above = ascending[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Arithmetic mean; `NaN` of nothing. */
export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sum and number of the values of each cluster. */
export function clusterSums(
  values: readonly number[],
  clusters: readonly string[],
): Map<string, { sum: number; count: number }> {
  const sums = new Map<string, { sum: number; count: number }>();
  values.forEach((value, index) => {
    const key = clusters[index] ?? '';
    const entry = sums.get(key) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count += 1;
    sums.set(key, entry);
  });
  return sums;
}

function clamp(low: number, high: number): Interval {
  return { low: Math.max(0, low), high: Math.min(1, high) };
}
