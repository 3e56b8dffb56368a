// The short extractors of lmms-eval: each reads the beginning of a reply, or little more.
import { SPACE, strip, stripCharacter, words } from '../python.ts';
import type { LetterFinding } from './letter.ts';

/** SEED-Bench: the first character, whatever follows; compared ignoring case. */
export function firstCharacter(reply: string): string | undefined {
  const first = [...strip(reply)][0];
  return first === undefined ? undefined : first.toUpperCase();
}

const CV_BENCH = new RegExp(`^[(${SPACE}]*([A-Za-zİıſK])`, 'u');

/** CV-Bench: the first letter of the reply after brackets and spaces; "The answer is B" gives T. */
export function cvBenchLetter(reply: string): string | undefined {
  return CV_BENCH.exec(strip(reply))?.[1]?.toUpperCase();
}

/** ScienceQA: the whole reply, or a reply that starts with a capital and a full stop. */
export function scienceQaLetter(reply: string): string | undefined {
  const text = strip(reply);
  if (/^[A-Za-z]$/.test(text)) return text.toUpperCase();
  return /^\p{Lu}\./u.test(text) ? [...text][0] : undefined;
}

const AI2D = new RegExp(`^[${SPACE}]*([A-Z])\\.`, 'u');

/** AI2D: a capital and a full stop at the start; else the whole reply without punctuation. */
export function ai2dLetter(reply: string): string {
  const text = AI2D.exec(reply)?.[1] ?? reply;
  return text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '');
}

const MME_PREFIXES = [
  'The best answer is',
  'The correct answer is',
  'The answer is',
  'The answer',
  'The best option is',
  'The correct option is',
  'Best answer:',
  'Best option:',
];

/** MME-RealWorld: the first capital A–E anywhere; else the first of `(A)`… that holds the reply. */
export function mmeRealWorldLetter(reply: string): LetterFinding {
  let text = strip(reply);
  for (const prefix of MME_PREFIXES) text = text.replaceAll(prefix, '');
  const capital = /[ABCDE]/.exec(text)?.[0];
  if (capital !== undefined) return { letter: capital };
  if (words(text).length > 10) return { letter: undefined };
  const index = ['(a)', '(b)', '(c)', '(d)', '(e)'].findIndex((choice) =>
    choice.includes(text.toLowerCase()),
  );
  if (index < 0) return { letter: undefined };
  const letter = 'ABCDE'[index];
  return text === '' ? { letter, faults: ['empty-is-an-option'] } : { letter };
}

const VSTAR = [
  /^([A-D])/u,
  new RegExp(
    `(?:THE[${SPACE}]+)?(?:ANSWER|CHOICE|OPTION)(?:[${SPACE}]+IS)?[${SPACE}:]+([A-D])`,
    'iu',
  ),
  /\(([A-D])\)/u,
  new RegExp(`([A-D])[${SPACE}]*[.)\\]]`, 'u'),
  new RegExp(`(?:^|[${SPACE}])([A-D])(?:[${SPACE}]|$)`, 'u'),
];

/** V*: the first matching of five patterns in the upper-cased reply ("A dog" gives A). */
export function vstarLetter(reply: string): string | undefined {
  const text = strip(reply).toUpperCase();
  for (const pattern of VSTAR) {
    const letter = pattern.exec(text)?.[1];
    if (letter !== undefined) return letter;
  }
  const all = text.match(/[A-D]/g) ?? [];
  return all.length === 1 ? all[0] : undefined;
}

/** MMStar at v0.5: right if the gold letter stands at one of four fixed places. */
export function mmstarMatches(reply: string, gold: string): boolean {
  const answer = strip(gold.toLowerCase().replaceAll('\n', ' '));
  const text = strip(reply.toLowerCase().replaceAll('\n', ' '));
  const at = (place: number): boolean => [...text][place] === answer;
  return (
    at(0) ||
    (text.startsWith('(') && at(1)) ||
    (text.startsWith('option ') && at(7)) ||
    (text.startsWith('the answer is ') && at(14))
  );
}

const DIGITS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
];

/** RealWorldQA at v0.5: number word → digit, punctuation away, option text → its letter. */
export function realWorldQaReply(reply: string, question: string): string {
  const number = DIGITS.indexOf(reply.toLowerCase());
  const plain = number < 0 ? reply : String(number);
  const text = strip(plain.replace(new RegExp(`[^\\p{L}\\p{N}_${SPACE}]`, 'gu'), ''));
  const options = realWorldOptions(question);
  const letter = earliestOption(text, options);
  return stripCharacter(strip((letter ?? text).toLowerCase()), '.', 'right');
}

function realWorldOptions(question: string): string[] {
  const line = new RegExp(`(?<![\\p{L}\\p{N}_])[A-Z]\\.[${SPACE}]+([^\\n]*)`, 'gu');
  return [...question.matchAll(line)].map((match) => strip(match[1] ?? ''));
}

/** The leftmost option text in the reply; at one place, the option listed first. */
function earliestOption(text: string, options: readonly string[]): string | undefined {
  if (options.length === 0) return undefined;
  let best: { place: number; option: string } | undefined;
  for (const option of options) {
    const place = text.indexOf(option);
    if (place >= 0 && (best === undefined || place < best.place)) best = { place, option };
  }
  if (best === undefined) return undefined;
  return String.fromCharCode(65 + options.lastIndexOf(best.option));
}
