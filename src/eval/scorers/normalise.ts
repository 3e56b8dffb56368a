// Brings a reply and an answer into one form before they are compared. Pure, no guessing.

/** `text`: case, spaces and end punctuation do not matter. `number`: the one number in the text. */
export type Normaliser = 'text' | 'number';

const NUMBER_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

/**
 * Normal form of a text, or `undefined` when it has none.
 *
 * - `text`: NFKC, lower case, runs of white space become one space, quotes around and full stops,
 *   exclamation and question marks at the end fall away. An empty rest is `undefined`.
 * - `number`: the only run of digits, leading zeros kept (a row of digits is read, not
 *   calculated), or the only number word zero … eight. None or several: `undefined`.
 */
export function normalise(text: string, normaliser: Normaliser): string | undefined {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^["'“”‘’]+|["'“”‘’.!?]+$/g, '')
    .trim();
  if (normaliser === 'text') return plain === '' ? undefined : plain;
  const runs = plain.match(/\d+/g) ?? [];
  if (runs.length > 0) return runs.length === 1 ? runs[0] : undefined;
  const words = plain.split(/[^\p{L}]+/u).filter((word) => NUMBER_WORDS.includes(word));
  const [word] = words;
  return words.length === 1 && word !== undefined ? String(NUMBER_WORDS.indexOf(word)) : undefined;
}
