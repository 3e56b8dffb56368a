// Chooses among options by the likelihood of replies: rules as lists of terms, and the choice.
import { OneVisionError } from '../../core/errors.ts';
import type { ChoiceScorer, ChoiceTerm } from '../benchmark.ts';
import type { ReplyScore } from '../eval-model.ts';
import type { Verdict } from '../outcome.ts';

const OPTION: ChoiceTerm = {
  prompt: '{question}',
  reply: '{option}',
  per: 'token',
  pictures: 'own',
  weight: 1,
};

/** The option as the reply: its loss per token. */
export function byMeanLoss(): ChoiceScorer {
  return { kind: 'choice', rule: 'mean loss', terms: [OPTION] };
}

/**
 * Pointwise mutual information of picture and option: log p(option | picture) − log p(option),
 * where p(option) is the mean over other pictures of the benchmark. An option that is likely
 * anyway, a common phrase or one memorised in training, gains nothing from that.
 */
export function byPmi(): ChoiceScorer {
  return {
    kind: 'choice',
    rule: 'PMI',
    terms: [
      { ...OPTION, per: 'reply' },
      { ...OPTION, per: 'reply', pictures: 'others', weight: -1 },
    ],
  };
}

/** Asks about each option and weighs yes against no. `{option}` stands for it in the question. */
export function byYesNo(prompt: string = '<image>Is this {option}?'): ChoiceScorer {
  const term = { ...OPTION, prompt, per: 'reply' } as const;
  return {
    kind: 'choice',
    rule: 'yes/no',
    terms: [
      { ...term, reply: 'yes' },
      { ...term, reply: 'no', weight: -1 },
    ],
  };
}

/**
 * The loss of one option: Σ weight · −log p(reply), per token or in all. Lower is better.
 * @param scores one for each term
 * @throws OneVisionError `data` when a score is missing
 */
export function optionLoss(
  terms: readonly ChoiceTerm[],
  scores: readonly (ReplyScore | undefined)[],
): number {
  let loss = 0;
  terms.forEach(({ per, weight }, index) => {
    const score = scores[index];
    if (score === undefined) {
      throw new OneVisionError(
        'data',
        `Choice: expected a score for each of ${terms.length} terms, number ${index} is missing.`,
      );
    }
    loss -= (weight * score.sumLogProb) / (per === 'token' ? score.numTokens : 1);
  });
  return loss;
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
