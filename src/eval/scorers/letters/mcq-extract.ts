// lmms-eval's shared extractor since 2026: forms of answering with priorities, later places win.
import { isLetter, strip, stripEach } from '../python.ts';

const PHRASES = [
  ...['the answer is', 'answer is', 'the correct answer is', 'correct answer is'],
  ...['the best answer is', 'best answer is', 'the correct option is', 'correct option is'],
  ...['the best option is', 'best option is', 'the choice is', 'choice is'],
  ...['the correct choice is', 'correct choice is', 'i choose', 'i select', 'i pick'],
  ...[
    'my answer is',
    'my choice is',
    '옵션',
    '정답은',
    '답은',
    '답:',
    '答案是',
    '答案为',
    '选',
    '答えは',
  ],
];

/** A letter that a form of answering names. */
export interface Candidate {
  readonly letter: string;
  readonly priority: number;
  readonly place: number;
}

/** @param letters the letters that are options; others are not seen */
export function mcqExtract(reply: string, letters: readonly string[]): string | undefined {
  if (strip(reply) === '') return undefined;
  const text = ` ${stripEach(strip(reply), ',.!?;:\'"')} `;
  const found = [
    ...byForm(text, letters),
    ...byPhrase(text, letters, PHRASES, 'end'),
    ...byEnds(text, letters),
  ];
  const candidates = found.length > 0 ? found : byForm(text, letters, [['', '', 0]]);
  return pickLetter(candidates, 'last');
}

/** The letter of the highest priority; of several the one that stands first or last. */
export function pickLetter(
  candidates: readonly Candidate[],
  preferred: 'first' | 'last',
): string | undefined {
  const sign = preferred === 'last' ? 1 : -1;
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    const lead = candidate.priority - (best?.priority ?? Number.NEGATIVE_INFINITY);
    const isAhead = lead > 0 || (lead === 0 && sign * (candidate.place - (best?.place ?? 0)) > 0);
    if (isAhead) best = candidate;
  }
  return best?.letter;
}

/** What stands around a letter, and the priority of the form. */
type Form = readonly [before: string, after: string, priority: number];

export const FORMS: readonly Form[] = [
  ['(', ')', 6],
  ['', '.', 5],
  ['', ':', 4],
  ['', ')', 3],
  ['', ' ', 2],
];

/** The last place of each letter in each form. */
export function byForm(
  text: string,
  letters: readonly string[],
  forms: readonly Form[] = FORMS,
): Candidate[] {
  return forms.flatMap(([before, after, priority]) =>
    letters.flatMap((letter) => {
      const place = text.lastIndexOf(before + letter + after);
      return place < 0 ? [] : [{ letter, priority, place }];
    }),
  );
}

/** The first place of each letter behind the start or the end of a phrase. */
export function byPhrase(
  text: string,
  letters: readonly string[],
  phrases: readonly string[],
  from: 'start' | 'end',
): Candidate[] {
  const lower = text.toLowerCase();
  return phrases.flatMap((phrase) => {
    const start = lower.indexOf(phrase);
    if (start < 0) return [];
    return letters.flatMap((letter) => {
      const place = text.indexOf(letter, from === 'start' ? start : start + phrase.length);
      return place < 0 ? [] : [{ letter, priority: 7, place }];
    });
  });
}

function byEnds(text: string, letters: readonly string[]): Candidate[] {
  const characters = [...strip(text)];
  const candidates: Candidate[] = [];
  for (const letter of letters) {
    if (characters[0] === letter && !isLetter(characters[1])) {
      candidates.push({ letter, priority: 10, place: 0 });
    }
  }
  for (const letter of letters) {
    if (characters.at(-1) === letter && !isLetter(characters.at(-2))) {
      candidates.push({ letter, priority: 9, place: text.length - 1 });
    }
  }
  return candidates;
}
