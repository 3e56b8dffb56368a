// Our rules for MathVision and MathVista: a stated answer or none; no nearest option, no judge.
import { letterOf } from '../letters/letter.ts';
import { strictLetter } from '../letters/strict.ts';
import { round } from '../python.ts';
import type { Finding, Rule } from '../scorer.ts';
import { mathEqual } from './equality.ts';
import { finalAnswer } from './final-answer.ts';

/** MathVision: the letter, or the one option of that value; without options the value. */
export const strictMathvision: Rule = (text, item) => {
  const { options = [], answers } = item;
  const stated = finalAnswer(text);
  if (options.length > 0) {
    const letter = strictLetter(text, options) ?? optionOfValue(stated, options);
    return compare(letter, (found) => answers.some((answer) => answer.trim() === found));
  }
  return compare(stated, (found) => answers.some((answer) => mathEqual(found, answer)));
};

/** MathVista: the option, the number to its precision, or the list of numbers. */
export const strictMathvista: Rule = (text, item) => {
  const { options = [], answers, columns } = item;
  if (columns?.['question_type'] === 'multi_choice' && options.length > 0) {
    const letter = strictLetter(text, options);
    const option = letter === undefined ? undefined : options[letter.charCodeAt(0) - 65];
    return compare(letter, (found) => answers.some((gold) => gold === option || gold === found));
  }
  const stated = finalAnswer(text);
  if (columns?.['answer_type'] === 'list') {
    return compare(stated, (found) => answers.some((answer) => mathEqual(found, answer)));
  }
  const value = numberIn(stated ?? '') ?? numberIn(text);
  const digits = columns?.['answer_type'] === 'float' ? Number(columns['precision'] || 0) : 0;
  return compare(value, (found) => answers.some((gold) => sameNumber(found, gold, digits)));
};

function compare(parsed: string | undefined, isRight: (found: string) => boolean): Finding {
  return { score: parsed !== undefined && isRight(parsed) ? 1 : 0, parsed };
}

function optionOfValue(stated: string | undefined, options: readonly string[]): string | undefined {
  if (stated === undefined) return undefined;
  const same = options.flatMap((option, index) =>
    mathEqual(stated, option) ? [letterOf(index)] : [],
  );
  return same.length === 1 ? same[0] : undefined;
}

/** The one number in a text; undefined for none or several. */
function numberIn(text: string): string | undefined {
  const joined = text.normalize('NFKC').replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
  const found = new Set(joined.match(/(?<![\p{L}\d.])-?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?/giu));
  return found.size === 1 ? [...found][0] : undefined;
}

function sameNumber(a: string, b: string, digits: number): boolean {
  const [x, y] = [Number(a), Number(b)];
  return digits === 0 ? x === y : round(x, digits) === round(y, digits);
}
