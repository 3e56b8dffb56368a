// The rule `inverse-frequency`: a row weighs the sum or mean of 1/frequency over its concepts.
//
// w_i = Σ_{c ∈ C(i)} 1/f_c   or   (1/|C(i)|) Σ_{c ∈ C(i)} 1/f_c        p_i = w_i / Σ_j w_j
//
// Rows without a concept share one of their own: each weighs 1/(number of such rows). Source: the
// paper of LLaVA-OneVision-1.5, which leaves sum or mean and replacement open.
import type { Census } from './census.ts';

export type Aggregate = 'sum' | 'mean';

/** The weight of a row whose concepts are `concepts[start … end)`. */
export type RowWeight = (concepts: Int32Array, start: number, end: number) => number;

export function inverseFrequency({ counts, numPlain }: Census, aggregate: Aggregate): RowWeight {
  return (concepts, start, end) => {
    if (start === end) return 1 / numPlain;
    let sum = 0;
    for (let at = start; at < end; at++) sum += 1 / (counts[concepts[at] as number] as number);
    return aggregate === 'sum' ? sum : sum / (end - start);
  };
}

/**
 * Σ_i w_i from the counts alone. Each concept that occurs adds f_c · 1/f_c = 1 to the sum, or
 * g_c/f_c to the mean; rows without a concept add 1 together.
 */
export function totalWeight(census: Census, aggregate: Aggregate): number {
  const { counts, shares, numPlain } = census;
  let total = numPlain > 0 ? 1 : 0;
  for (let c = 0; c < counts.length; c++) {
    const count = counts[c] as number;
    if (count > 0) total += aggregate === 'sum' ? 1 : (shares[c] as number) / count;
  }
  return total;
}
