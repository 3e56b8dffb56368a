// OCRBench: right if an accepted answer stands in the reply. Formulas are compared without spaces.
import { strip } from '../python.ts';

export interface ContainsOptions {
  /** Lower-case a formula's reply but not its answer: the fault of v0.5. */
  readonly lowerFormulaReply: boolean;
  /** Read full-width letters, digits and signs as their plain forms. */
  readonly foldWidth: boolean;
}

/** @param formula true for the rows of HME100k: case counts, spaces do not */
export function containsAnswer(
  prediction: string,
  answers: readonly string[],
  formula: boolean,
  { lowerFormulaReply, foldWidth }: ContainsOptions,
): boolean {
  const oneLine = (text: string): string => strip(text).replaceAll('\n', ' ');
  const fold = (text: string): string => (foldWidth ? foldFullWidth(text) : text);
  if (formula) {
    const squeeze = (text: string): string => oneLine(text).replaceAll(' ', '');
    const reply = squeeze(lowerFormulaReply ? prediction.toLowerCase() : prediction);
    return answers.some((answer) => reply.includes(squeeze(answer)));
  }
  const reply = oneLine(fold(strip(prediction)).toLowerCase());
  return answers.some((answer) => reply.includes(oneLine(fold(answer).toLowerCase())));
}

/**
 * Ours: an answer of one or two letters or digits must stand alone, as a word of its own; longer
 * ones are looked for as the original does, with full-width forms folded.
 */
export function strictContains(
  prediction: string,
  answers: readonly string[],
  formula: boolean,
): boolean {
  const options = { lowerFormulaReply: false, foldWidth: true };
  return answers.some((answer) => {
    const plain = foldFullWidth(answer).trim().toLowerCase();
    if (plain === '') return prediction.trim() === '';
    if (formula || !/^[\p{L}\p{N}]{1,2}$/u.test(plain)) {
      return containsAnswer(prediction, [answer], formula, options);
    }
    const alone = new RegExp(`(?<![\\p{L}\\p{N}])${plain}(?![\\p{L}\\p{N}])`, 'u');
    return alone.test(foldFullWidth(prediction).toLowerCase());
  });
}

function foldFullWidth(text: string): string {
  return text.replace(/[\uff01-\uff5e\u3000]/g, (character) =>
    character === '\u3000' ? ' ' : String.fromCharCode(character.charCodeAt(0) - 0xfee0),
  );
}
