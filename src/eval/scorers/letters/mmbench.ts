// MMBench's rule, static part: a lone letter among the words, a letter with its marks, an option.
import { strip, words } from '../python.ts';
import { isApiFailure } from './letter.ts';

const MARKS: readonly (readonly [before: string, after: string])[] = [
  ['', '.'],
  ['', ','],
  ['', ':'],
  ['', ')'],
  ['', ').'],
  ['(', ')'],
  ['(', ').'],
  [':', ''],
  [':', ','],
  [':', '.'],
  [':', ')'],
  [':', ').'],
];

/** A–E or undefined, where the original asks a judge. A lone `A` in prose is not believed. */
export function mmbenchLetter(reply: string, options: readonly string[]): string | undefined {
  return byWord(reply) ?? byOption(reply, options);
}

function byWord(reply: string): string | undefined {
  if (isApiFailure(reply)) return undefined;
  const tokens = words(reply).map(strip);
  const only = (before: string, after: string): string | undefined => {
    const found = [...'ABCDE'].filter((letter) => tokens.includes(before + letter + after));
    return found.length === 1 ? found[0] : undefined;
  };
  const alone = only('', '');
  if (alone !== undefined && !(alone === 'A' && tokens.length > 3)) return alone;
  for (const [before, after] of MARKS) {
    const letter = only(before, after);
    if (letter !== undefined) return letter;
  }
  return undefined;
}

function byOption(reply: string, options: readonly string[]): string | undefined {
  const text = reply.toLowerCase();
  const named = options
    .slice(0, 4)
    .flatMap((option, index) =>
      text.includes(option.toLowerCase()) ? ['ABCD'.charAt(index)] : [],
    );
  return named.length === 1 ? named[0] : undefined;
}
