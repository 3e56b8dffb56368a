// MathVision as lmms-eval scores it: letter or value, as text, as a tuple, or rounded to two places.
// The original runs the model's text in Python's eval; here a bounded parser gives the same values.
import { floatText, round, strip } from '../python.ts';
import type { Rule } from '../scorer.ts';
import { evaluate } from './evaluate.ts';
import { type Expression, parseExpression } from './expression.ts';
import { mathvisionAnswer } from './mathvision-text.ts';

/** Which functions the text may call: those of Python's `math`, imported at v0.5, now forgotten. */
export type PythonNames = 'math' | 'none';

export function mathvisionRule(names: PythonNames): Rule {
  return (text, { answers, options = [] }) => {
    const answer = mathvisionAnswer(text);
    const golds = answers.flatMap((gold) => {
      const option = options[gold.charCodeAt(0) - 65];
      return options.length > 0 && option !== undefined ? [gold, option] : [gold];
    });
    const right = golds.some((gold) => mathvisionEqual(gold, answer, names));
    return { score: right ? 1 : 0, parsed: answer === '' ? undefined : answer };
  };
}

/** Equal as text ignoring case, as tuples of rounded values, or as values rounded to two places. */
export function mathvisionEqual(a: string, b: string, names: PythonNames): boolean {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  if (left.replaceAll(' ', '') === '' || right.replaceAll(' ', '') === '') return false;
  if (strip(left) === strip(right)) return true;
  const [leftTuple, rightTuple] = [tupleText(left, names), tupleText(right, names)];
  if (leftTuple === rightTuple) return true;
  const [x, y] = [roundedValue(leftTuple, names), roundedValue(rightTuple, names)];
  return x !== undefined && y !== undefined && x.value === y.value;
}

interface Rounded {
  readonly value: number;
  readonly isInteger: boolean;
}

/** `(\frac{1}{2},3)` → `(0.5,3)`; any other text, or one with an element without value, unchanged. */
function tupleText(text: string, names: PythonNames): string {
  const isTuple = /^(?:\(.*\)|\[.*\])$/s.test(text);
  const parts = text.slice(1, -1).split(',');
  if (!isTuple || parts.length < 2) return text;
  const values: string[] = [];
  for (const part of parts) {
    if (part.includes('infty') || part === 'a' || part === '-a') {
      values.push(part);
      continue;
    }
    const rounded = roundedValue(part, names);
    if (rounded === undefined) return text;
    values.push(rounded.isInteger ? String(rounded.value) : floatText(rounded.value));
  }
  return `${text[0]}${values.join(',')}${text.at(-1)}`;
}

function roundedValue(text: string, names: PythonNames): Rounded | undefined {
  const tree = parseRelation(text.replaceAll('$', ' ').replaceAll(':', '/'));
  if (tree === undefined || !hasValue(tree, names)) return undefined;
  const value = evaluate(tree, PYTHON_CONSTANTS);
  if (!Number.isFinite(value)) return undefined;
  const isInteger = isInt(tree) && Number.isInteger(value);
  return { value: isInteger ? value : round(value, 2), isInteger };
}

const PYTHON_CONSTANTS = new Map([['tau', 2 * Math.PI]]);

/** `x = 5` is 5; an equation of anything but a name has no value. */
function parseRelation(text: string): Expression | undefined {
  const sides = text.split('=').map((side) => parseExpression(side, 'latex2sympy'));
  const [last] = sides.splice(-1);
  return sides.every((side) => side?.kind === 'name') ? last : undefined;
}

const PYTHON_FUNCTIONS = new Set([
  ...['log', 'sin', 'cos', 'tan', 'arcsin', 'arccos', 'arctan', 'sinh', 'cosh', 'tanh', 'exp'],
  ...['factorial', 'root'],
]);

/** A name has a value only if Python's `math` is there; `e` only as the base of a power. */
function hasValue(tree: Expression, names: PythonNames): boolean {
  if (tree.kind === 'number') return true;
  if (tree.kind === 'name') return names === 'math' && (tree.name === 'pi' || tree.name === 'tau');
  if (tree.kind === 'call')
    return isCallable(tree, names) && tree.args.every((a) => hasValue(a, names));
  const isExponential = tree.op === '^' && tree.a.kind === 'name' && tree.a.name === 'e';
  if (!isExponential) return hasValue(tree.a, names) && hasValue(tree.b, names);
  return names === 'math' && hasValue(tree.b, names) && evaluate(tree.b, PYTHON_CONSTANTS) !== 1;
}

function isCallable({ name, args }: Expression & { kind: 'call' }, names: PythonNames): boolean {
  const index = args[1];
  const isPower = name === 'root' && !(index?.kind === 'number' && index.value === 2);
  if (name === 'binomial' || isPower) return true;
  return names === 'math' && PYTHON_FUNCTIONS.has(name);
}

/** True where Python computes with whole numbers: no division, no root. */
function isInt(tree: Expression): boolean {
  if (tree.kind === 'number') return Number.isInteger(tree.value);
  if (tree.kind === 'name') return false;
  if (tree.kind === 'binary') return tree.op !== '/' && isInt(tree.a) && isInt(tree.b);
  return ['factorial', 'binomial'].includes(tree.name) && tree.args.every(isInt);
}
