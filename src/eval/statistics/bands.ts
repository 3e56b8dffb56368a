// Head, middle and tail: accuracy by how often training met the concept of an item. Pure.

/** How often training met a concept: a third of all occurrences lies in each band. */
export type FrequencyBand = 'head' | 'middle' | 'tail' | 'unseen';

export const FREQUENCY_BANDS: readonly FrequencyBand[] = ['head', 'middle', 'tail', 'unseen'];

/** Concept → number of training samples that carry it. */
export type ConceptCounts = ReadonlyMap<string, number>;

/** The rule that puts a training count into a band. */
export interface BandLimits {
  /** Lowest count of a head concept. */
  readonly head: number;
  /** Lowest count of a middle concept. */
  readonly middle: number;
}

/**
 * Cuts the concepts so that head, middle and tail each hold about a third of all occurrences.
 * Concepts of one count lie together on the line of all occurrences, rarest first; the third that
 * holds the middle of their stretch is their band. A cut by occurrences needs no threshold chosen
 * by hand and suits any corpus size.
 */
export function bandLimits(counts: ConceptCounts): BandLimits {
  const mass = new Map<number, number>();
  for (const count of counts.values()) mass.set(count, (mass.get(count) ?? 0) + count);
  const total = [...mass.values()].reduce((sum, value) => sum + value, 0);
  let passed = 0;
  let middle = Number.POSITIVE_INFINITY;
  let head = Number.POSITIVE_INFINITY;
  for (const [count, here] of [...mass].sort(([a], [b]) => a - b)) {
    const share = (passed + here / 2) / total;
    if (share >= 1 / 3) middle = Math.min(middle, count);
    if (share >= 2 / 3) head = Math.min(head, count);
    passed += here;
  }
  return { head, middle };
}

/** The band of one concept; a concept that training never met is `unseen`. */
export function bandOf(concept: string, counts: ConceptCounts, limits: BandLimits): FrequencyBand {
  const count = counts.get(concept) ?? 0;
  if (count === 0) return 'unseen';
  if (count >= limits.head) return 'head';
  return count >= limits.middle ? 'middle' : 'tail';
}

/** Accuracy of the items of one band. */
export interface BandScore {
  readonly items: number;
  readonly correct: number;
  readonly accuracy: number;
}

export type Bands = { readonly [band in FrequencyBand]?: BandScore | undefined };

/**
 * Groups scored items by the band of their concept. Bands without items are left out, items
 * without a concept too.
 */
export function scoreBands(
  items: readonly { readonly concept: string | undefined; readonly correct: boolean }[],
  counts: ConceptCounts,
): Bands {
  const limits = bandLimits(counts);
  const scores: Partial<Record<FrequencyBand, BandScore>> = {};
  for (const band of FREQUENCY_BANDS) {
    const inBand = items.filter(
      ({ concept }) => concept !== undefined && bandOf(concept, counts, limits) === band,
    );
    const correct = inBand.filter((item) => item.correct).length;
    if (inBand.length === 0) continue;
    scores[band] = { items: inBand.length, correct, accuracy: correct / inBand.length };
  }
  return scores;
}
