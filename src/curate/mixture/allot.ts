// How many samples of each source a mixture takes: whole numbers that add up exactly. Pure.
import { OneVisionError } from '../../core/errors.ts';
import type { MixtureCategory, MixtureConfig } from './config.ts';

/** Samples of one source. */
export interface Allotment {
  readonly category: string;
  readonly source: string;
  readonly available: number;
  readonly taken: number;
}

/**
 * Shares of `total` in proportion to the weights, whole and adding up exactly: each gets its share
 * rounded down, the largest remainders one more (Hamilton); of equal remainders the first.
 */
export function apportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const shares = exact.map(Math.floor);
  const left = total - shares.reduce((a, b) => a + b, 0);
  const order = [...exact.keys()].sort(
    (a, b) => fraction(exact[b] ?? 0) - fraction(exact[a] ?? 0) || a - b,
  );
  for (const i of order.slice(0, left)) shares[i] = (shares[i] ?? 0) + 1;
  return shares;
}

function fraction(value: number): number {
  return value - Math.floor(value);
}

/**
 * The same when no share may pass its limit: what a full one cannot take, the others share by their
 * weights. The limits must hold `total` in all.
 */
export function apportionLimited(
  total: number,
  weights: readonly number[],
  limits: readonly number[],
): number[] {
  const shares = weights.map(() => 0);
  const open = new Set(weights.keys());
  let left = total;
  while (left > 0 && open.size > 0) {
    const places = [...open];
    const wanted = apportion(
      left,
      places.map((i) => weights[i] ?? 0),
    );
    const full = places.filter((i, k) => (wanted[k] ?? 0) >= (limits[i] ?? 0));
    if (full.length === 0) {
      for (const [k, i] of places.entries()) shares[i] = wanted[k] ?? 0;
      return shares;
    }
    for (const i of full) {
      shares[i] = limits[i] ?? 0;
      left -= limits[i] ?? 0;
      open.delete(i);
    }
  }
  return shares;
}

/**
 * Allot a mixture: the total to the categories by weight, each category to its sources by weight
 * and cap. No sample is taken twice.
 *
 * @throws OneVisionError 'data' when a category has fewer samples than its weight asks for.
 */
export function allot(
  config: Pick<MixtureConfig, 'categories' | 'total'>,
  available: ReadonlyMap<string, number>,
): Allotment[] {
  const { categories } = config;
  const weights = categories.map((category) => category.weight);
  const supply = categories.map((category) =>
    limitsOf(category, available).reduce((a, b) => a + b, 0),
  );
  const total = config.total ?? largestTotal(weights, supply);
  const wanted = apportion(total, weights);
  return categories.flatMap((category, i) => {
    const [want, has] = [wanted[i] ?? 0, supply[i] ?? 0];
    if (want > has) throw tooFew(category, want, has, largestTotal(weights, supply));
    const limits = limitsOf(category, available);
    const own = category.sources.map((source, k) => source.weight ?? limits[k] ?? 0);
    const shares = apportionLimited(want, own, limits);
    return category.sources.map(({ name: source }, k) => ({
      category: category.name,
      source,
      available: available.get(source) ?? 0,
      taken: shares[k] ?? 0,
    }));
  });
}

function limitsOf(category: MixtureCategory, available: ReadonlyMap<string, number>): number[] {
  return category.sources.map(({ name, cap }) =>
    Math.min(available.get(name) ?? 0, cap ?? Number.POSITIVE_INFINITY),
  );
}

/** The most that can be mixed before a category runs out. */
function largestTotal(weights: readonly number[], supply: readonly number[]): number {
  const sum = weights.reduce((a, b) => a + b, 0);
  let total = Math.floor(
    Math.min(...weights.map((weight, i) => ((supply[i] ?? 0) * sum) / weight)),
  );
  // Rounding up a remainder may ask for one more than there is.
  while (total > 0 && apportion(total, weights).some((want, i) => want > (supply[i] ?? 0)))
    total -= 1;
  return total;
}

function tooFew(
  { name, sources }: MixtureCategory,
  want: number,
  has: number,
  possible: number,
): OneVisionError {
  return new OneVisionError(
    'data',
    `mixture: expected ${want} samples of category ${name}, came ${has} of ` +
      `${sources.map((source) => source.name).join(', ')}`,
    { hint: `add samples, lower its weight, or mix at most ${possible} in all` },
  );
}
