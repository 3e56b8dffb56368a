// BLEU of a corpus of captions, Papineni et al. 2002: clipped precision of runs of one to four words,
// times a penalty for being short. Nothing is smoothed.
import { ngramCounts } from './ngrams.ts';

/** One caption as words, with its references. */
export interface CaptionPair {
  readonly candidate: readonly string[];
  readonly references: readonly (readonly string[])[];
}

const MAX_N = 4;

/** 0 to 1. The reference length is the one closest to the candidate's, the shorter of two. */
export function bleu4(pairs: readonly CaptionPair[]): number {
  const matched = new Array<number>(MAX_N).fill(0);
  const total = new Array<number>(MAX_N).fill(0);
  let candidateLength = 0;
  let referenceLength = 0;
  for (const { candidate, references } of pairs) {
    candidateLength += candidate.length;
    referenceLength += closestLength(candidate.length, references);
    for (let n = 1; n <= MAX_N; n += 1) {
      const most = mostCounts(references, n);
      for (const [gram, count] of ngramCounts(candidate, n)) {
        total[n - 1] = (total[n - 1] ?? 0) + count;
        matched[n - 1] = (matched[n - 1] ?? 0) + Math.min(count, most.get(gram) ?? 0);
      }
    }
  }
  if (matched.some((count) => count === 0)) return 0;
  const logs = matched.map((count, index) => Math.log(count / (total[index] ?? 1)));
  const precision = Math.exp(logs.reduce((sum, value) => sum + value, 0) / MAX_N);
  const penalty = Math.min(1, Math.exp(1 - referenceLength / candidateLength));
  return precision * penalty;
}

function closestLength(length: number, references: CaptionPair['references']): number {
  const lengths = references.map((reference) => reference.length);
  lengths.sort((a, b) => Math.abs(a - length) - Math.abs(b - length) || a - b);
  return lengths[0] ?? 0;
}

/** The highest count of each run in any one reference. */
function mostCounts(references: CaptionPair['references'], n: number): Map<string, number> {
  const most = new Map<string, number>();
  for (const reference of references) {
    for (const [gram, count] of ngramCounts(reference, n)) {
      most.set(gram, Math.max(count, most.get(gram) ?? 0));
    }
  }
  return most;
}
