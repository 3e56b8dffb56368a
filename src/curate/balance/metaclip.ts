// The rule `metaclip-t`: concepts above a threshold t are thinned to t, rarer ones are kept whole.
//
// p_c = min(1, t/f_c)      P(keep i) = 1 − Π_{c ∈ C(i)} (1 − p_c)      no concept: not kept
//
// The published code tosses one coin a concept and keeps a row when any falls right; one coin a row
// with this P draws from the same distribution. Source: MetaCLIP (arXiv 2309.16671); one t for each
// language from one tail share: Meta CLIP 2 (arXiv 2507.22062).
import { OneVisionError } from '../../core/errors.ts';
import type { Census } from './census.ts';
import type { RowBatch } from './rows.ts';

export interface MetaclipSettings {
  /** Share of all matches that concepts below t hold; gives t where `t` does not. */
  readonly tailShare: number;
  /** Threshold of the reference language; its tail share then holds for the others. */
  readonly t: number | null;
  /** Default: the language with the most matches. */
  readonly reference: string | null;
}

/** s(t) = Σ_{f_c < t} f_c / Σ f_c. */
export function tailShareOf(counts: Uint32Array, t: number): number {
  let [tail, total] = [0, 0];
  for (const count of counts) {
    total += count;
    if (count < t) tail += count;
  }
  return total === 0 ? 0 : tail / total;
}

/**
 * The smallest count f such that the concepts that occur at most f times hold at least `share` of
 * all matches; 1 for a share of 0.
 */
export function thresholdOf(counts: Uint32Array, share: number): number {
  const ascending = counts.filter((count) => count > 0).sort();
  let total = 0;
  for (const count of ascending) total += count;
  let passed = 0;
  for (const count of ascending) {
    passed += count;
    if (share > 0 && passed >= share * total) return count;
    if (share <= 0) return 1;
  }
  return 1;
}

/**
 * t of each language.
 * @throws OneVisionError 'recipe' when the reference language is not in the rows.
 */
export function languageThresholds(
  { byLanguage }: Census,
  { t, tailShare, reference }: MetaclipSettings,
): Map<string, number> {
  const matches = [...byLanguage].map(([language, counts]) => {
    return { language, sum: counts.reduce((total, count) => total + count, 0) };
  });
  matches.sort((a, b) => b.sum - a.sum || (a.language < b.language ? -1 : 1));
  const chosen = reference ?? matches[0]?.language ?? '';
  const counts = byLanguage.get(chosen);
  if (counts === undefined && byLanguage.size > 0) {
    throw new OneVisionError(
      'recipe',
      `balance: expected rows of the reference language ${chosen}, came ${matches.length} others`,
      { hint: `one of them: ${matches[0]?.language}; or leave the reference out` },
    );
  }
  const share = t === null ? tailShare : tailShareOf(counts ?? new Uint32Array(), t);
  const thresholds = new Map<string, number>();
  for (const [language, own] of byLanguage) {
    thresholds.set(language, language === chosen && t !== null ? t : thresholdOf(own, share));
  }
  return thresholds;
}

/** P(keep) of each row of a batch. */
export function metaclipKeep(
  { byLanguage }: Census,
  thresholds: ReadonlyMap<string, number>,
): (batch: RowBatch, row: number) => number {
  return (batch, row) => {
    const { offsets, concepts } = batch;
    const [start, end] = [offsets[row] as number, offsets[row + 1] as number];
    if (start === end) return 0;
    const language = batch.language(row);
    const counts = byLanguage.get(language);
    const t = thresholds.get(language) ?? 0;
    let lose = 1;
    for (let at = start; at < end; at++) {
      lose *= 1 - Math.min(1, t / (counts?.[concepts[at] as number] ?? Number.POSITIVE_INFINITY));
    }
    return 1 - lose;
  };
}
