// The 29 ways of answering a choice: which the strict extractor reads, and that it never errs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strictLetter } from './strict.ts';

const OPTIONS = ['a red car', 'the blue bus', 'two dogs', 'none of the above'];
/** L is the letter, l its small form, o the option's text. */
const PHRASINGS = [
  'L',
  'L.',
  '(L)',
  'L) o',
  'L. o',
  'L: o',
  '**L**',
  'o',
  'Answer: L',
  'The answer is L',
  'The answer is L.',
  'The correct answer is (L).',
  'The correct answer is **L**. Here is why: option A shows a car.',
  'Option L',
  'option l',
  'I think it is L.',
  '\\boxed{L}',
  'l',
  '<answer>L</answer>',
  'L\n\nBecause the picture shows it.',
  'A closer look shows o, so L.',
  'Both A and B are visible, but the answer is L.',
  'It is not A. The answer is L.',
  'As shown in the image, o.',
  '答案是L',
  '选L。',
  'Let us compare A, B, C, and D. Final answer: L',
];

const fill = (phrasing: string, letter: string, option: string): string =>
  phrasing === 'o'
    ? option
    : phrasing.replace(/\b[Llo]\b|L/g, (mark) =>
        mark === 'l' ? letter.toLowerCase() : mark === 'o' ? option : letter,
      );

test('strict reads the letter of every phrasing that states one', () => {
  const missed: string[] = [];
  for (const phrasing of PHRASINGS) {
    'ABCD'.split('').forEach((letter, index) => {
      const reply = fill(phrasing.replace('Let us', '§'), letter, OPTIONS[index] ?? '');
      const found = strictLetter(reply.replace('§', 'Let us'), OPTIONS);
      if (found !== letter) missed.push(`${JSON.stringify(reply)} for ${letter} gave ${found}`);
    });
  }
  assert.deepEqual(missed, []);
});

test('strict reads no letter out of prose, hedges, lists and refusals', () => {
  for (const reply of [
    '',
    'I cannot determine this.',
    'A dog is on the left.',
    'The answer is a matter of taste.',
    'The answer is A or B.',
    'A. a red car\nB. the blue bus\nC. two dogs',
    'It is not a red car.',
    "There isn't the blue bus.",
    'Both a red car and two dogs are there.',
    'Beautiful!',
    'B2B',
    'The answer is E.',
    'Option A shows a car.',
    'Answer A is wrong.',
  ]) {
    assert.equal(strictLetter(reply, OPTIONS), undefined, JSON.stringify(reply));
  }
});
