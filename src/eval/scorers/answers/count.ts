// Counting answers: the number in a reply, by four rules.
import { strip } from '../python.ts';

const WORDS = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'],
  ...['nineteen', 'twenty'],
];

/** PixmoCount: the first run of digits, else the trimmed reply; "3.5" reads 3, words stay words. */
export function firstDigits(text: string): string {
  const plain = strip(text);
  return /\p{Nd}+/u.exec(plain)?.[0] ?? plain;
}

/** CountBench: the whole reply, number words up to twenty as digits. */
export function countWord(text: string): string {
  const plain = strip(text).toLowerCase();
  if (plain === 'none') return '0';
  const number = WORDS.indexOf(plain);
  return number < 0 ? plain : String(number);
}

/**
 * Ours: the one number that the reply names, as digits or as a word up to twenty. A reply with two
 * different numbers, a fraction or a negative number names none; "none" and "no" alone are 0.
 */
export function strictCount(text: string): string | undefined {
  const plain = text.normalize('NFKC').trim().toLowerCase();
  if (/^(?:none|no|zero)[.!]?$/.test(plain)) return '0';
  const joined = plain.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
  if (/\d\.\d|-\s*\d|\d\s*\/\s*\d/.test(joined)) return undefined;
  const found = new Set<string>();
  for (const [token] of joined.matchAll(/\d+|\p{L}+/gu)) {
    if (/^\d/.test(token)) found.add(BigInt(token).toString());
    const number = WORDS.indexOf(token);
    if (number >= 0 && !isPronoun(joined, token)) found.add(String(number));
  }
  return found.size === 1 ? [...found][0] : undefined;
}

/** "one" in a longer reply with digits is mostly no number ("the left one"). */
function isPronoun(text: string, token: string): boolean {
  return token === 'one' && /\d/.test(text);
}
