// Each filter on what it must keep and what it must drop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curateSchema } from '../config.ts';
import type { Facts } from './filter.ts';
import { createFilters, judge } from './index.ts';

const filters = createFilters(curateSchema.parse({}).filters);
const good: Facts = {
  caption: 'A red car (vehicle, wheel).',
  title: 'A red car',
  numTitleUses: 3,
  width: 84,
  height: 84,
  spread: 200,
  labels: { emojiGroup: 'travel-places' },
};

/** Changed facts → the filter that refuses, or undefined. */
const CASES: readonly [string, Partial<Facts>, string | undefined][] = [
  ['a plain sample', {}, undefined],
  ['a side below the minimum', { height: 27 }, 'too-small'],
  ['a side at the minimum', { height: 28 }, undefined],
  ['1 : 21', { width: 28 * 21, height: 28 }, 'too-long'],
  ['a blank picture', { spread: 8 }, 'blank'],
  ['a nearly blank picture', { spread: 9 }, undefined],
  ['a component', { labels: { emojiGroup: 'component' } }, 'excluded'],
  ['a collection title', { title: 'Part of the Flat Icon Collection (Wed Aug 25)' }, 'boilerplate'],
  ['an upper-case collection title', { title: 'LEMON SVG THEME 1' }, 'boilerplate'],
  ['the title "card"', { title: 'card' }, 'boilerplate'],
  ['a title with the word card', { title: 'a post card' }, undefined],
  ['no title', { title: ' ' }, 'boilerplate'],
  ['a title used 8 times', { numTitleUses: 8 }, undefined],
  ['a title used 9 times', { numTitleUses: 9 }, 'repeated-title'],
  ['a caption of one character', { caption: 'x', title: 'x' }, 'text-length'],
  ['signs only', { caption: '???', title: '???' }, 'text-length'],
  ['3501 characters', { caption: 'x'.repeat(3501) }, 'text-length'],
  ['raw C1 bytes', { caption: 'Mikol\u0161 Ale\u009a' }, 'mojibake'],
  ['UTF-8 as Latin-1', { caption: 'cafÃ© noir' }, 'mojibake'],
  ['a quote as Latin-1', { caption: 'the cat â€œTomâ€' }, 'mojibake'],
  ['accents that are right', { caption: 'Café, Ärger, Ñandú, Ã O' }, undefined],
  ['a word eight times', { caption: `a ${'cat '.repeat(8)}` }, 'repetition'],
  ['a word seven times', { caption: `a ${'cat '.repeat(7)}` }, undefined],
  ['a refusal', { caption: "I'm sorry, but I cannot see the image." }, 'refusal'],
  ['a refusal with a curly quote', { caption: 'I’m unable to help with that.' }, 'refusal'],
  ['a caption about being sorry', { caption: 'A sign says I am sorry.' }, undefined],
];

for (const [what, change, expected] of CASES) {
  test(`${what}: ${expected ?? 'stays'}`, () => {
    assert.equal(judge(filters, { ...good, ...change })?.reason, expected);
  });
}

test('a refusal of a filter carries its score', () => {
  assert.deepEqual(judge(filters, { ...good, spread: 3 }), { reason: 'blank', score: 3 });
});

test('an unknown setting is refused by name', () => {
  const parsed = curateSchema.safeParse({ filters: { minSize: 3 } });
  assert.match(parsed.error?.message ?? '', /minSize/);
});
