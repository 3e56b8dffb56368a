// What each UTF-16 unit is to the matcher: gap, letter, a sign between words, or a letter of a
// script that is written without spaces. And its lower case.

/** Between words of one name: blank or hyphen. */
export const GAP = 0;
export const LETTER = 1;
/** Ends a name: a comma, a digit, an emoji. */
export const SIGN = 2;
/** A letter of a script without spaces. */
export const UNSPACED = 3;

export interface Alphabet {
  /** [65536] */
  readonly kind: Uint8Array;
  /** [65536] lower case in one unit; the unit itself where that needs several. */
  readonly lower: Uint16Array;
}

const NUM_UNITS = 65_536;
const UNSPACED_SCRIPT =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー]/u;

/** Whether a name is found by characters, not by words. */
export function isUnspaced(name: string): boolean {
  return UNSPACED_SCRIPT.test(name);
}

/**
 * The alphabet of some names. Letters are a–z and the apostrophe; every letter of Unicode where a
 * name has one beyond a–z, digits where a name has one. So a list of English words sees an English
 * text as ever, whatever else a later list holds.
 */
export function alphabetOf(names: Iterable<string>): Alphabet {
  let [hasUnicode, hasDigits] = [false, false];
  for (const name of names) {
    hasUnicode ||= /[^\u0020-\u007e’]/.test(name);
    hasDigits ||= /\d/.test(name);
  }
  const kind = new Uint8Array(NUM_UNITS);
  const lower = new Uint16Array(NUM_UNITS);
  for (let unit = 0; unit < NUM_UNITS; unit++) {
    const char = String.fromCharCode(unit);
    const folded = char === '’' ? "'" : char.toLowerCase();
    lower[unit] = folded.length === 1 ? folded.charCodeAt(0) : unit;
    kind[unit] = kindOf(folded, hasUnicode, hasDigits);
  }
  return { kind, lower };
}

function kindOf(char: string, hasUnicode: boolean, hasDigits: boolean): number {
  if (/^[a-z']$/.test(char)) return LETTER;
  if (/^[\s-]$/.test(char)) return GAP;
  if (hasDigits && /^\p{N}$/u.test(char)) return LETTER;
  if (!hasUnicode) return SIGN;
  if (UNSPACED_SCRIPT.test(char)) return UNSPACED;
  return /^[\p{L}\p{M}]+$/u.test(char) ? LETTER : SIGN;
}
