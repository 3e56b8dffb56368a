// Concept balancing: samples of rare concepts are drawn more often than samples of frequent ones.
// Pure; every draw is a hash of (uid, seed), so that neither order nor sharding matters.
//
// f_c = samples that carry concept c      w_i = Σ or mean over the concepts c of sample i of 1/f_c
// p_i = w_i / Σ w   (the idea of the LLaVA-OneVision-1.5 paper, whose exact form is unpublished)
import { coin } from '../core/hash.ts';
import type { BalanceConfig } from './config.ts';

export interface BalanceItem {
  readonly uid: string;
  readonly concepts: readonly string[];
}

/** Counts each concept once a sample. `copies[i]` = how often sample i counts (default once). */
export function countConcepts(
  items: readonly BalanceItem[],
  copies?: readonly number[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [i, item] of items.entries()) {
    const times = copies === undefined ? 1 : (copies[i] ?? 0);
    if (times === 0) continue;
    for (const concept of item.concepts) counts.set(concept, (counts.get(concept) ?? 0) + times);
  }
  return counts;
}

/**
 * The weight of each sample. Samples without a concept share one of their own, so that they are
 * neither lost nor favoured.
 */
export function inverseFrequencyWeights(
  items: readonly BalanceItem[],
  aggregate: BalanceConfig['aggregate'],
): Float64Array {
  const counts = countConcepts(items);
  const numPlain = items.filter((item) => item.concepts.length === 0).length;
  return Float64Array.from(items, ({ concepts }) => {
    if (concepts.length === 0) return 1 / numPlain;
    const sum = concepts.reduce((total, concept) => total + 1 / (counts.get(concept) ?? 1), 0);
    return aggregate === 'sum' ? sum : sum / concepts.length;
  });
}

/**
 * Draw `numWanted` samples without replacement by the exponential race: sample i arrives at time
 * −ln(1 − u_i) / w_i, and the first arrivals win. The first winner is i with probability p_i, the
 * second is drawn likewise from the rest, and so on (Efraimidis & Spirakis 2006).
 *
 * @returns how often each sample was drawn: 0 or 1.
 */
export function drawWithout(
  items: readonly BalanceItem[],
  weights: Float64Array,
  numWanted: number,
  seed: number,
): number[] {
  const arrival = items.map(({ uid }, i) => {
    const weight = weights[i] ?? 0;
    return weight > 0
      ? -Math.log1p(-coin(uid, seed, 'balance')) / weight
      : Number.POSITIVE_INFINITY;
  });
  const order = items
    .map((_, i) => i)
    .sort((a, b) => {
      const difference = (arrival[a] ?? 0) - (arrival[b] ?? 0);
      return difference !== 0 && !Number.isNaN(difference) ? difference : byUid(items[a], items[b]);
    });
  const copies = new Array<number>(items.length).fill(0);
  for (const i of order.slice(0, numWanted)) copies[i] = 1;
  return copies;
}

/**
 * Draw with replacement: sample i comes ⌊e⌋ times, and once more with probability e − ⌊e⌋, where
 * e = numWanted · p_i is its expected number. The total is `numWanted` on average; each sample's own
 * coin decides, so other samples can come and go without changing its draw at equal p_i.
 *
 * @returns how often each sample was drawn.
 */
export function drawWith(
  items: readonly BalanceItem[],
  weights: Float64Array,
  numWanted: number,
  seed: number,
): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return items.map(({ uid }, i) => {
    const expected = (numWanted * (weights[i] ?? 0)) / total;
    const sure = Math.floor(expected);
    return sure + (coin(uid, seed, 'balance') < expected - sure ? 1 : 0);
  });
}

/** How many different samples `drawWith` yields on average: Σ min(1, numWanted · p_i). */
export function expectedDistinct(weights: Float64Array, numWanted: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, weight) => sum + Math.min(1, (numWanted * weight) / total), 0);
}

/** How often each sample is drawn under the settings. */
export function balance(
  items: readonly BalanceItem[],
  config: BalanceConfig,
  seed: number,
): { readonly weights: Float64Array; readonly copies: number[] } {
  const weights = inverseFrequencyWeights(items, config.aggregate);
  const numWanted = Math.round(config.target * items.length);
  const draw = config.replacement ? drawWith : drawWithout;
  return { weights, copies: draw(items, weights, numWanted, seed) };
}

function byUid(a: BalanceItem | undefined, b: BalanceItem | undefined): number {
  return (a?.uid ?? '') < (b?.uid ?? '') ? -1 : 1;
}
