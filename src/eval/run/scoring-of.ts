// The rules of a benchmark by their name.
import { OneVisionError } from '../../core/errors.ts';
import type { Scoring } from '../scorers/scorer.ts';
import { SCORINGS } from '../scorers/scorings.ts';

/** @throws OneVisionError 'usage' for a name without rules */
export function scoringOf(name: string): Scoring {
  const found = Object.entries(SCORINGS).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  throw new OneVisionError('usage', `No rules for scoring are called ${name}.`);
}
