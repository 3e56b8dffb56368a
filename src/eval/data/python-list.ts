// Lists that data sets keep as the text of a Python list of strings: "['a', \"it's\"]". A parser of
// that notation and of nothing else; no code is ever run.
import { OneVisionError } from '../../core/errors.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\n': '',
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * The strings of a list; a bare number counts as its text.
 * @throws OneVisionError 'data' for anything else
 */
export function parsePythonList(text: string): string[] {
  const source = text.trim();
  if (!source.startsWith('[') || !source.endsWith(']')) throw notAList(text);
  const items: string[] = [];
  let at = 1;
  const end = source.length - 1;
  const skipSpace = (): void => {
    while (at < end && /\s/.test(source[at] ?? '')) at += 1;
  };
  for (skipSpace(); at < end; skipSpace()) {
    const quote = source[at];
    if (quote === "'" || quote === '"') {
      const { value, next } = readString(source, at + 1, quote, text);
      items.push(value);
      at = next;
    } else {
      const bare = /^[-+\w.]+/.exec(source.slice(at, end))?.[0];
      if (bare === undefined) throw notAList(text);
      items.push(bare);
      at += bare.length;
    }
    skipSpace();
    if (at >= end) break;
    if (source[at] !== ',') throw notAList(text);
    at += 1;
  }
  return items;
}

function readString(
  source: string,
  start: number,
  quote: string,
  whole: string,
): { value: string; next: number } {
  let value = '';
  for (let at = start; at < source.length - 1; at += 1) {
    const char = source[at] ?? '';
    if (char === quote) return { value, next: at + 1 };
    if (char !== '\\') {
      value += char;
      continue;
    }
    at += 1;
    const escaped = source[at] ?? '';
    const digits = HEX_DIGITS[escaped];
    if (digits !== undefined) {
      const hex = source.slice(at + 1, at + 1 + digits);
      const code = /^[\da-f]+$/i.test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
      if (hex.length !== digits || !(code <= 0x10ffff)) throw notAList(whole);
      value += String.fromCodePoint(code);
      at += digits;
    } else {
      // Python keeps the backslash before a character that is no escape.
      value += ESCAPES[escaped] ?? (/[\\'"]/.test(escaped) ? escaped : `\\${escaped}`);
    }
  }
  throw notAList(whole);
}

function notAList(text: string): OneVisionError {
  const shown = text.length > 80 ? `${text.slice(0, 77)}…` : text;
  return new OneVisionError('data', `Expected a list such as ['a', 'b'], came ${shown}`);
}
