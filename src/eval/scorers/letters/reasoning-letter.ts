// WeMath in lmms-eval: the tagged or boxed part of a reply, then a letter A–H by forms with priorities, of
// which the earliest place wins. A reply without tags has no answer, whatever it says.
import { strip, stripEach } from '../python.ts';
import { lastBoxed } from '../reply-parts.ts';
import { letters } from './letter.ts';
import { byForm, byPhrase, type Candidate, FORMS, pickLetter } from './mcq-extract.ts';

const LETTERS = letters(8);
const MORE_FORMS = [...FORMS, ...['-', '_', '='].map((after) => ['', after, 1] as const)];
/** Longer phrases that begin with one of these are found where these are. */
const PHRASES = [
  ...['answer', 'the answer', 'my answer is', 'correct answer', 'the correct answer'],
  ...['best answer', 'the best answer', 'i choose', 'i select', 'i pick', 'my choice is'],
  ...['option is', 'choice is'].flatMap((end) =>
    ['', 'the ', 'correct ', 'the correct '].map((start) => start + end),
  ),
];

/** @returns undefined where the reply has no tagged or boxed part, or that part no letter */
export function reasoningLetter(reply: string): string | undefined {
  const part = strip(taggedPart(reply));
  return earliest(strip(part.endsWith('.') ? part.slice(0, -1) : part));
}

/** The first `<answer>…</answer>`, else the last closed box. */
function taggedPart(reply: string): string {
  const open = reply.indexOf('<answer>');
  const close = open < 0 ? -1 : reply.indexOf('</answer>', open);
  if (close >= 0) return reply.slice(open + '<answer>'.length, close);
  return lastBoxed(reply, /\\boxed$/) ?? '';
}

function earliest(part: string): string | undefined {
  const text = ` ${stripEach(part, ',.!?;:\'"')} `;
  const found = [
    ...byForm(text, LETTERS, MORE_FORMS),
    ...byPhrase(text, LETTERS, PHRASES, 'start'),
    ...byEnds(strip(text)),
    ...LETTERS.flatMap((letter, index) => byForm(text, [letter], [[`${index + 1}. `, '', 8]])),
  ];
  const candidates = found.length > 0 ? found : byForm(text, LETTERS, [['', '', 0]]);
  return pickLetter(candidates, 'first');
}

function byEnds(text: string): Candidate[] {
  return LETTERS.flatMap((letter) => [
    ...(text.startsWith(letter) ? [{ letter, priority: 10, place: 0 }] : []),
    ...(text.endsWith(letter) ? [{ letter, priority: 9, place: text.length }] : []),
  ]);
}
