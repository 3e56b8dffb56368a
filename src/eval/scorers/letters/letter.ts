// What the letter extractors share: the type of a finding and A, B, C….
import type { Fault } from '../scorer.ts';

/** A letter read out of a reply, or none. */
export interface LetterFinding {
  readonly letter: string | undefined;
  readonly faults?: readonly Fault[];
}

/** What VLMEvalKit writes in the place of a reply that never came. */
export function isApiFailure(reply: string): boolean {
  return reply.includes('Failed to obtain answer via API');
}

/** 0 → A. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/** The first `count` letters. */
export function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => letterOf(index));
}

/** The candidate whose place is largest; of equals, the first. */
export function lastMaximum(
  candidates: readonly string[],
  placeOf: (candidate: string) => number,
): string | undefined {
  let best: string | undefined;
  let place = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const here = placeOf(candidate);
    if (here > place) [best, place] = [candidate, here];
  }
  return best;
}
