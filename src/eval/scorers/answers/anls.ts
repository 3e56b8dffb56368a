// ANLS of DocVQA and InfoVQA: one minus the normalised edit distance, nothing below one half.
import { editDistance, numCharacters, words } from '../python.ts';

/**
 * `max over answers of 1 − distance / max length`, 0 below 0.5. The distance is of lower-cased texts
 * with single spaces.
 *
 * @param lengths `raw`: of the texts as they came (lmms-eval and the server's script);
 * `normal`: of the texts that are compared
 */
export function anls(
  prediction: string,
  answers: readonly string[],
  lengths: 'raw' | 'normal' = 'raw',
): number {
  const reply = normal(prediction);
  let best = Number.NEGATIVE_INFINITY;
  for (const answer of answers) {
    const gold = normal(answer);
    const longest =
      lengths === 'raw'
        ? Math.max(numCharacters(answer.toUpperCase()), numCharacters(prediction.toUpperCase()))
        : Math.max(numCharacters(gold), numCharacters(reply));
    const distance = longest === 0 ? 0 : editDistance(gold, reply) / longest;
    best = Math.max(best, 1 - distance);
  }
  return best < 0.5 ? 0 : best;
}

function normal(text: string): string {
  return words(text.toLowerCase()).join(' ');
}
