// The rules of a benchmark by their name.
import { OneVisionError } from '../../core/errors.ts';
import type { Scoring } from '../scorers/scorer.ts';
import { SCORING_NAMES, SCORINGS, type ScoringName } from '../scorers/scorings.ts';

/** @throws OneVisionError 'usage' for a name without rules */
export function scoringOf(name: string): Scoring {
  return SCORINGS[scoringNameOf(name)];
}

/** @throws OneVisionError 'usage' for a name without rules */
export function scoringNameOf(name: string): ScoringName {
  const found = SCORING_NAMES.find((known) => known === name);
  if (found !== undefined) return found;
  throw new OneVisionError('usage', `No rules for scoring are called ${name}.`);
}
