// CIDEr-D of a corpus of captions, Vedantam et al. 2015: cosines of clipped tf-idf vectors of runs of one
// to four words, with a penalty for another length, times ten.
import type { CaptionPair } from './bleu.ts';
import { ngramCounts } from './ngrams.ts';

const MAX_N = 4;
const SIGMA = 6;

interface Vector {
  readonly weights: ReadonlyMap<string, number>;
  readonly norm: number;
}

/** The mean over the corpus; how rare a run of words is, is counted over its references. */
export function ciderD(pairs: readonly CaptionPair[]): number {
  if (pairs.length === 0) return 0;
  let sum = 0;
  for (let n = 1; n <= MAX_N; n += 1) {
    const seenIn = documentCounts(pairs, n);
    const logAll = Math.log(pairs.length);
    const vector = (words: readonly string[]): Vector => {
      const weights = new Map<string, number>();
      let square = 0;
      for (const [gram, count] of ngramCounts(words, n)) {
        const weight = count * (logAll - Math.log(Math.max(1, seenIn.get(gram) ?? 0)));
        weights.set(gram, weight);
        square += weight ** 2;
      }
      return { weights, norm: Math.sqrt(square) };
    };
    for (const { candidate, references } of pairs) {
      const own = vector(candidate);
      const scores = references.map((reference) => {
        const difference = candidate.length - reference.length;
        const penalty = Math.exp(-(difference ** 2) / (2 * SIGMA ** 2));
        return similarity(own, vector(reference)) * penalty;
      });
      sum += scores.reduce((total, score) => total + score, 0) / Math.max(1, references.length);
    }
  }
  return (10 * sum) / (MAX_N * pairs.length);
}

/** In how many pictures' references each run occurs. */
function documentCounts(pairs: readonly CaptionPair[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { references } of pairs) {
    const grams = new Set(references.flatMap((words) => [...ngramCounts(words, n).keys()]));
    for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function similarity(own: Vector, reference: Vector): number {
  if (own.norm === 0 || reference.norm === 0) return 0;
  let product = 0;
  for (const [gram, weight] of own.weights) {
    const other = reference.weights.get(gram) ?? 0;
    product += Math.min(weight, other) * other;
  }
  return product / (own.norm * reference.norm);
}
