// Text and numbers as Python sees them: what the reference scorers do to a reply before comparing.
// Only where JavaScript differs: white space, float(), round(), str(float), strip(characters).

/** Python's white space, for a character class. `\s` differs: it lacks \x1c–\x1f and \x85. */
export const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const SPACES = new RegExp(`[${SPACE}]+`, 'gu');
const IS_SPACE = new RegExp(`[${SPACE}]`, 'u');

/** `str.strip()`. */
export function strip(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && IS_SPACE.test(text.charAt(from))) from += 1;
  while (to > from && IS_SPACE.test(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** `str.split()`: the words between white space. */
export function words(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '');
}

/** `str.strip(character)`, `lstrip` and `rstrip` for one character. */
export function stripCharacter(
  text: string,
  character: string,
  sides: 'both' | 'left' | 'right' = 'both',
): string {
  let from = 0;
  let to = text.length;
  if (sides !== 'right') while (from < to && text[from] === character) from += 1;
  if (sides !== 'left') while (to > from && text[to - 1] === character) to -= 1;
  return text.slice(from, to);
}

/** Removes each character from both ends, one after another in the order given. */
export function stripEach(text: string, characters: string): string {
  return [...characters].reduce((rest, character) => stripCharacter(rest, character), text);
}

/** `str.isalpha()` of one character. */
export function isLetter(character: string | undefined): boolean {
  return character !== undefined && /^\p{L}$/u.test(character);
}

const DECIMAL =
  /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;

/** `float(text)`; undefined where Python raises. Accepts `1_000`, spaces around, `inf`, `nan`, `１２`. */
export function float(text: string): number | undefined {
  const plain = numberText(text);
  if (DECIMAL.test(plain)) return Number(plain.replaceAll('_', ''));
  const named = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(plain);
  if (named === null) return undefined;
  if (named[2]?.toLowerCase() === 'nan') return Number.NaN;
  return named[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** `int(text)` as text without leading zeros; undefined where Python raises. Of any size. */
export function integer(text: string): string | undefined {
  const plain = numberText(text);
  if (!/^[+-]?\d+(?:_\d+)*$/.test(plain)) return undefined;
  return BigInt(plain.replaceAll('_', '').replace('+', '')).toString();
}

/** Plain digits without white space around; of ASCII text, \x1c–\x1f are not white space here. */
function numberText(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '');
  return strip(text).replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Decimal digits come in runs of ten that start at a multiple known from where they stop. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  if (code < 0x80) return code - 0x30;
  if (code >= 0x1d7ce && code <= 0x1d7ff) return (code - 0x1d7ce) % 10;
  let start = code;
  while (code - start < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(start - 1))) start -= 1;
  return code - start;
}

/** `round(value, digits)`: half to even on the exact binary value. */
export function round(value: number, digits: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return value;
  const up = Number(value.toFixed(digits));
  const rest = value.toFixed(100).split('.')[1]?.slice(digits) ?? '';
  if (!/^50*$/.test(rest)) return up;
  const scale = 10 ** digits;
  const last = Math.round(Math.abs(up) * scale);
  if (last % 2 === 0) return up;
  const magnitude = Math.abs(value) < Math.abs(up) ? (last - 1) / scale : (last + 1) / scale;
  return value < 0 ? -magnitude : magnitude;
}

/** `str(float)`: `7.0`, `1e+16`, `1e-05`, `nan`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const [digits = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  const sign = Object.is(value, -0) ? '-' : '';
  if (exponent >= -4 && exponent < 16) {
    const plain =
      exponent < 0 ? value.toFixed(Math.min(100, decimals(digits) - exponent)) : `${value}`;
    return sign + (plain.includes('.') ? plain : `${plain}.0`);
  }
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
}

function decimals(digits: string): number {
  return digits.split('.')[1]?.length ?? 0;
}

/** Edit distance in code points, as Python counts them. */
export function editDistance(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  let row = Uint32Array.from({ length: left.length + 1 }, (_, index) => index);
  for (let j = 0; j < right.length; j++) {
    const next = new Uint32Array(left.length + 1);
    next[0] = j + 1;
    for (let i = 0; i < left.length; i++) {
      const same = left[i] === right[j];
      const least = Math.min(row[i] ?? 0, row[i + 1] ?? 0, next[i] ?? 0);
      next[i + 1] = same ? (row[i] ?? 0) : 1 + least;
    }
    row = next;
  }
  return row[left.length] ?? 0;
}

/** Number of code points. */
export function numCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
