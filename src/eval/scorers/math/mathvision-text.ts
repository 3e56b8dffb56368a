// MathVision's cleaning of an answer before it is compared, as lmms-eval does it: text to text.
import { float, integer, strip, stripCharacter } from '../python.ts';

/** The answer in a reply: letter, boxed part or the words behind "the answer is", cleaned. */
export function mathvisionAnswer(reply: string): string {
  let text = strip(reply);
  for (const letter of 'ABCDE') if (saysLetter(text, letter)) text = letter;
  const tail = stripCharacter(lastPart(text, 'is '), '.', 'right');
  if (float(tail) !== undefined) text = tail;
  if (!text.includes('oxed{')) text = behindFlags(text);
  else if (text.split('oxed{').length > 2) text = `\\boxed{${lastPart(text, 'oxed{')}`;
  let answer = cleaned(text);
  for (const letter of 'abcde') answer = answer.replaceAll(`(${letter})`, letter);
  for (const letter of 'abcde') answer = answer.replaceAll(`{${letter}}`, letter);
  return strip(stripCharacter(stripCharacter(answer, '.', 'right'), ':', 'left'));
}

function saysLetter(text: string, letter: string): boolean {
  return (
    text.endsWith(` ${letter}.`) ||
    text.endsWith(` (${letter}).`) ||
    text.startsWith(`${letter}\n`) ||
    text.startsWith(`(${letter})\n`) ||
    text.startsWith(`(${letter}) ${letter}\n`)
  );
}

const FLAGS = [
  'the final answer is',
  'the answer is',
  'the correct answer is',
  'the answer should be',
];

function behindFlags(text: string): string {
  let answer = text;
  for (const flag of FLAGS.flatMap((small) => [small, small.replaceAll('the', 'The')])) {
    if (!answer.includes(flag)) {
      answer = strip(answer);
      continue;
    }
    answer = strip(lastPart(answer, flag));
    answer = firstPart(firstPart(answer, '\n'), '. ');
  }
  return answer;
}

function cleaned(text: string): string {
  let answer = boxedPart(text.toLowerCase().replaceAll('{}', ''));
  const close = answer.indexOf('}');
  const open = answer.indexOf('{');
  if (close >= 0 && (open < 0 || close < open)) answer = answer.slice(0, close);
  answer = lastPart(lastPart(answer, '='), '\\approx');
  const replacements: readonly (readonly [string, string])[] = [
    [' ', ''],
    ['\\,', ''],
    ['∞', '\\infty'],
    ['+\\infty', '\\infty'],
    ['\\\\', '\\'],
    ['\n', ''],
    ['\\text', ''],
    ['\\mbox', ''],
    ['bmatrix', 'pmatrix'],
    ['\\left', ''],
    ['\\right', ''],
    ['^{\\circ}', ''],
    ['^\\circ', ''],
    ['{m}^3', ''],
    ['m^3', ''],
    ['{units}', ''],
    ['units', ''],
    ['{km}', ''],
    ['km', ''],
  ];
  return stripLatex(replaced(answer, replacements));
}

/** From the first `oxed{` to the last brace behind it. */
function boxedPart(text: string): string {
  const from = text.indexOf('oxed{');
  const to = text.lastIndexOf('}');
  return from >= 0 && to >= from + 5 ? text.slice(from + 5, to) : text;
}

function stripLatex(text: string): string {
  let answer = replaced(text, [
    ['\n', ''],
    ['\\!', ''],
    ['\\\\', '\\'],
    ['tfrac', 'frac'],
    ['dfrac', 'frac'],
    ['\\left', ''],
    ['\\right', ''],
    ['^{\\circ}', ''],
    ['^\\circ', ''],
    ['\\$', ''],
    ['$', ''],
  ]);
  answer = firstPart(answer, '\\text{ ');
  answer = replaced(answer, [
    ['\\%', ''],
    [' .', ' 0.'],
    ['{.', '{0.'],
  ]);
  if (answer === '') return answer;
  if (answer.startsWith('.')) answer = `0${answer}`;
  if (answer.split('=').length === 2) answer = lastPart(answer, '=');
  if (answer.split('\\approx').length === 2) answer = lastPart(answer, '\\approx');
  if (answer.includes('sqrt')) answer = bracedRoots(answer);
  answer = answer.replaceAll(' ', '');
  if (answer.includes('sqrt')) answer = bracedFractions(answer);
  return slashFraction(answer === '0.5' ? '\\frac{1}{2}' : answer);
}

/** `\sqrt3` → `\sqrt{3}`. */
function bracedRoots(text: string): string {
  const [head = '', ...rest] = text.split('\\sqrt');
  const parts = rest.map((part) => {
    const [first, ...others] = [...part];
    return first === undefined || first === '{' ? part : `{${first}}${others.join('')}`;
  });
  return [head, ...parts].join('\\sqrt');
}

/** `\frac12` → `\frac{1}{2}`; all unchanged where a fraction is cut off. */
function bracedFractions(text: string): string {
  const [head = '', ...rest] = text.split('\\frac');
  const parts: string[] = [];
  for (const part of rest) {
    const [a, b, ...others] = [...part];
    if (a === '{') parts.push(part);
    else if (a === undefined || b === undefined) return text;
    else parts.push(`{${a}}${b === '{' ? b : `{${b}}`}${others.join('')}`);
  }
  return [head, ...parts].join('\\frac');
}

/** `3/4` → `\frac{3}{4}` for whole numbers written plainly. */
function slashFraction(text: string): string {
  const parts = text.split('/');
  if (parts.length !== 2) return text;
  const [a, b] = parts.map(integer);
  return a !== undefined && b !== undefined && text === `${a}/${b}` ? `\\frac{${a}}{${b}}` : text;
}

function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((rest, [from, to]) => rest.replaceAll(from, () => to), text);
}

function lastPart(text: string, separator: string): string {
  return text.split(separator).at(-1) ?? '';
}

function firstPart(text: string, separator: string): string {
  return text.split(separator)[0] ?? '';
}
