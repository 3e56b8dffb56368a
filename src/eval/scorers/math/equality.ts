// Ours: are two mathematical answers the same? As text, as lists, or in value; bounded and pure.
import { createRandom } from '../../../core/hash.ts';
import { evaluate, namesOf } from './evaluate.ts';
import { type Expression, parseExpression } from './expression.ts';

const MAX_LENGTH = 2000;
const POINTS = 4;
const RELATIVE = 1e-6;

/**
 * True if both write the same thing. Values agree to 1e-6; a gold written with decimals (`2.09`) is
 * met by what rounds to it. Expressions with names agree if they do at four points. `(…)` and `[…]`
 * are lists in order, `\{…\}` without. Units, degrees, `$` and a leading `x =` say nothing.
 */
export function mathEqual(prediction: string, gold: string): boolean {
  if (prediction.length > MAX_LENGTH || gold.length > MAX_LENGTH) return false;
  const [a, b] = [plain(prediction), plain(gold)];
  if (a === '' || b === '') return false;
  if (a === b) return true;
  const [left, right] = [elements(a), elements(b)];
  if (left === undefined || right === undefined) {
    return left === right && valueEqual(a, b);
  }
  if (left.items.length !== right.items.length || left.open !== right.open) return false;
  if (left.open !== '\\{') {
    return left.items.every((item, index) => mathEqual(item, right.items[index] ?? ''));
  }
  const rest = [...right.items];
  return left.items.every((item) => {
    const place = rest.findIndex((other) => mathEqual(item, other));
    if (place >= 0) rest.splice(place, 1);
    return place >= 0;
  });
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\\[()[\]]|\$|\\!/g, '')
    .replace(/\\(?:left|right|displaystyle)(?![a-z])/gi, '')
    .replace(/\\(?:text|mathrm|mbox)\s*\{\s*([^{}]*)\}/g, ' $1')
    .replace(/\^\s*\{?\s*\\circ\s*\}?|°|\\degree/g, '')
    .replace(/[−–]/g, '-')
    .replace(/×/g, '\\times ')
    .replace(/÷/g, '\\div ')
    .replace(/^\s*[a-zA-Z]\s*(?:=|\\approx)\s*/, '')
    .replace(
      /(?<=[\d})])\s*(?:square |cubic )?(?:units?|cm|mm|km|m|meters?|inch(?:es)?|degrees?|cm\^\{?[23]\}?|m\^\{?[23]\}?|kg|g|s|seconds?|hours?|minutes?)\.?\s*$/i,
      '',
    )
    .trim()
    .toLowerCase();
}

/** The elements of a bracketed list of two or more. */
function elements(text: string): { open: string; items: string[] } | undefined {
  const form = /^(\(|\[|\\\{)([\s\S]*)(\)|\]|\\\})$/.exec(text);
  const inner = form?.[2];
  if (inner === undefined) return undefined;
  const items: string[] = [];
  let depth = 0;
  let item = '';
  for (const character of inner) {
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (depth < 0) return undefined;
    if (character === ',' && depth === 0) {
      items.push(item);
      item = '';
    } else {
      item += character;
    }
  }
  items.push(item);
  return items.length < 2 ? undefined : { open: form?.[1] ?? '', items };
}

function valueEqual(a: string, b: string): boolean {
  const percent = /\\?%\s*$/;
  const bothPercent = percent.test(a) === percent.test(b);
  const readings = bothPercent ? [a] : [a, a.replace(percent, '')];
  return readings.some((reading) => {
    const left = parseExpression(reading);
    const right = parseExpression(bothPercent ? b : b.replace(percent, ''));
    return left !== undefined && right !== undefined && treesEqual(left, right, decimalsOf(b));
  });
}

/** Decimals of a gold that is one plain decimal number. */
function decimalsOf(gold: string): number | undefined {
  return /^-?\d*\.(\d+)$/.exec(gold)?.[1]?.length;
}

function treesEqual(a: Expression, b: Expression, decimals: number | undefined): boolean {
  const [left, right] = [namesOf(a), namesOf(b)];
  if (left.size !== right.size || [...left].some((name) => !right.has(name))) return false;
  const random = createRandom('math-equality', 1);
  const points = left.size === 0 ? 1 : POINTS;
  for (let point = 0; point < points; point++) {
    const names = new Map([...left].sort().map((name) => [name, random.range(0.5, 2.5)]));
    if (!isNear(evaluate(a, names), evaluate(b, names), decimals)) return false;
  }
  return true;
}

function isNear(value: number, gold: number, decimals: number | undefined): boolean {
  if (!Number.isFinite(value) || !Number.isFinite(gold)) return false;
  const rounding = decimals === undefined ? 0 : 0.5 * 10 ** -decimals + 1e-12;
  return Math.abs(value - gold) <= Math.max(rounding, RELATIVE * Math.max(1e-9, Math.abs(gold)));
}
