// Chooses among options by the likelihood the model gives each as its reply.
import { OneVisionError } from '../../core/errors.ts';
import type { ChoiceRule } from '../benchmark.ts';
import type { ReplyScore } from '../eval-model.ts';
import type { Verdict } from '../outcome.ts';

/**
 * The loss of an option under a rule, lower is better; see {@link ChoiceRule}.
 *
 * @param score the option as the reply to the real picture
 * @param blank the same with a blank picture; needed by `pmi` only
 * @throws OneVisionError `data` when `pmi` lacks the blank score
 */
export function optionLoss(rule: ChoiceRule, score: ReplyScore, blank?: ReplyScore): number {
  if (rule === 'sum-loss') return -score.sumLogProb;
  const mean = -score.sumLogProb / score.numTokens;
  if (rule === 'mean-loss') return mean;
  if (blank === undefined) {
    throw new OneVisionError('data', 'Choice by PMI: expected a blank score for each option.');
  }
  return mean + blank.sumLogProb / blank.numTokens;
}

/**
 * Picks the option of the lowest loss. Equal losses go to no option, and neither does a loss that
 * is not a number: the outcome is `unparsed`, never a lucky guess by position.
 */
export function scoreChoice(
  options: readonly string[],
  answer: string,
  losses: readonly number[],
): Verdict {
  const lowest = Math.min(...losses);
  const best = losses.filter((loss) => loss === lowest);
  const prediction = options[losses.indexOf(lowest)];
  if (best.length !== 1 || prediction === undefined) {
    return { outcome: 'unparsed', prediction: '', losses: losses.filter(Number.isFinite) };
  }
  return { outcome: prediction === answer ? 'correct' : 'wrong', prediction, losses };
}
