// The letter of MMMU and MMMU-Pro: lmms-eval's and the official parser, random draw included.
import { createRandom } from '../../../core/hash.ts';
import { stripEach, words } from '../python.ts';
import { type LetterFinding, lastMaximum, letterOf } from './letter.ts';

/**
 * Bracketed letters, else letters before a space, else before a full stop, else (in replies of more
 * than five words) options that occur. Of several, the last; of none, a draw seeded by `uid`.
 */
export function mmmuLetter(reply: string, options: readonly string[], uid: string): LetterFinding {
  const text = ` ${stripEach(reply, ",.!?;:'")} `;
  const letters = options.map((_, index) => letterOf(index));
  const having = (pattern: (letter: string) => string): string[] =>
    letters.filter((letter) => text.includes(pattern(letter)));
  const bracketed = having((letter) => `(${letter})`);
  if (bracketed.length > 0) return last(bracketed, (letter) => text.lastIndexOf(`(${letter})`));
  for (const end of [' ', '.']) {
    const found = having((letter) => letter + end);
    if (found.length > 0) return last(found, (letter) => text.lastIndexOf(` ${letter} `));
  }
  if (words(text).length > 5) {
    const lower = text.toLowerCase();
    const textOf = (letter: string): string =>
      (options[letters.indexOf(letter)] ?? '').toLowerCase();
    const named = letters.filter((letter) => lower.includes(textOf(letter)));
    if (named.length > 0) return last(named, (letter) => lower.lastIndexOf(textOf(letter)));
  }
  return {
    letter: createRandom(uid, 'mmmu-fallback').pick(letters.length > 0 ? letters : ['A']),
    faults: ['random-fallback'],
  };
}

function last(candidates: readonly string[], placeOf: (letter: string) => number): LetterFinding {
  return { letter: lastMaximum(candidates, placeOf) };
}
