// Each filter on what it must keep and what it must drop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curateSchema } from '../config.ts';
import type { Look } from '../survey/look.ts';
import type { Facts } from './filter.ts';
import { openHook } from './hooks.ts';
import { createFilters, firstRefusal } from './index.ts';
import type { FilterConfig, FilterInput } from './settings.ts';

const config = curateSchema.parse({}).filters;
const look: Look = {
  width: 84,
  height: 84,
  spread: 200,
  dark: 0.1,
  entropy: 4,
  colourfulness: 40,
  edges: 0.1,
  tiling: null,
  hash: null,
};
const good: Facts = {
  caption: 'A red car (vehicle, wheel).',
  title: 'A red car',
  conversation: 'What is this?\nA red car (vehicle, wheel).',
  look,
  languages: { en: 0.8, fr: 0.5 },
  labels: { emojiGroup: 'travel-places' },
  agreement: null,
  hooks: {},
};

/** The name of the filter that refuses, or undefined. */
function refusal(facts: Facts, settings: FilterInput = {}): string | undefined {
  const filters = createFilters({ ...config, ...settings } as FilterConfig);
  const scores = filters.map((filter) => filter.score(facts));
  return filters[firstRefusal(filters, scores)]?.name;
}

/** Changed facts → the filter that refuses, or undefined. */
const CASES: readonly [string, Partial<Facts>, string | undefined][] = [
  ['a plain sample', {}, undefined],
  ['a side below the minimum', { look: { ...look, height: 27 } }, 'too-small'],
  ['a side at the minimum', { look: { ...look, height: 28 } }, undefined],
  ['1 : 21', { look: { ...look, width: 28 * 21, height: 28 } }, 'too-long'],
  ['a blank picture', { look: { ...look, spread: 8 } }, 'blank'],
  ['a nearly blank picture', { look: { ...look, spread: 9 } }, undefined],
  ['a black frame', { look: { ...look, dark: 0.99 } }, 'black'],
  ['a night', { look: { ...look, dark: 0.97 } }, undefined],
  ['no image', { look: null }, undefined],
  ['a component', { labels: { emojiGroup: 'component' } }, 'excluded'],
  ['a collection title', { title: 'Part of the Flat Icon Collection (Wed Aug 25)' }, 'boilerplate'],
  ['an upper-case collection title', { title: 'LEMON SVG THEME 1' }, 'boilerplate'],
  ['the title "card"', { title: 'card' }, 'boilerplate'],
  ['a title with the word card', { title: 'a post card' }, undefined],
  ['no title', { title: ' ' }, 'boilerplate'],
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
  ['a refusal in Chinese', { caption: '抱歉，我无法查看这张图片。' }, 'refusal'],
  ['a refusal in French', { caption: '« Je ne peux pas décrire cette image. »' }, 'refusal'],
  ['a sign that says sorry', { caption: '图中的牌子上写着“抱歉，今日休息”。' }, undefined],
  ['a sort of horse', { caption: 'Als Kind gemalt: ein Pferd.' }, undefined],
  ['a refusal with a curly quote', { caption: 'I’m unable to help with that.' }, 'refusal'],
  ['a caption about being sorry', { caption: 'A sign says I am sorry.' }, undefined],
];

for (const [what, change, expected] of CASES) {
  test(`${what}: ${expected ?? 'stays'}`, () => {
    assert.equal(refusal({ ...good, ...change }), expected);
  });
}

/** Settings that differ from the default, changed facts → the filter that refuses. */
const SET: readonly [string, FilterInput, Partial<Facts>, string | undefined][] = [
  ['a wanted language ahead', { languages: ['en'] }, {}, undefined],
  ['another language far ahead', { languages: ['fr'] }, {}, 'language'],
  ['another language within the lead', { languages: ['fr'], maxLanguageLead: 0.4 }, {}, undefined],
  ['no language at all', { languages: ['fr'] }, { languages: {} }, undefined],
  ['an agency', { maxWatermark: 0.9 }, { caption: 'A dog. Stock photo by Alamy' }, 'watermark'],
  ['a stock of wood', { maxWatermark: 0.9 }, { caption: 'A stock of wood' }, undefined],
  ['a repeated stamp', { maxWatermark: 0.9 }, { look: { ...look, tiling: 0.95 } }, 'watermark'],
  ['a dull picture', { minAesthetics: 0.5 }, { look: { ...look, entropy: 0.5 } }, 'aesthetics'],
  ['a lively picture', { minAesthetics: 0.5 }, {}, undefined],
  ['a caption of another picture', { minAgreement: 0.2 }, { agreement: 0.1 }, 'agreement'],
  ['no embedder', { minAgreement: 0.2 }, {}, undefined],
  [
    'a hook',
    { hooks: [{ name: 'nsfw', module: 'x', max: 0.5 }] },
    { hooks: { nsfw: 0.6 } },
    'nsfw',
  ],
  ['a hook that passes', { hooks: [{ name: 'nsfw', module: 'x', max: 0.5 }] }, {}, undefined],
];

for (const [what, settings, change, expected] of SET) {
  test(`set: ${what}: ${expected ?? 'stays'}`, () => {
    assert.equal(refusal({ ...good, ...change }, settings), expected);
  });
}

test('every filter says its threshold', () => {
  for (const filter of createFilters(config)) assert.match(filter.limit, /\d/, filter.name);
});

test('names of filters are unique: they are reasons and columns', () => {
  const names = createFilters(config).map((filter) => filter.name);
  assert.equal(new Set(names).size, names.length);
});

test('a module without a scorer is an error with a remedy', async () => {
  await assert.rejects(openHook({ name: 'nsfw', module: 'no-such-module' }), /nsfw: the module/);
  await assert.rejects(openHook({ name: 'nsfw', module: 'node:os' }), /to export scorer/);
});

test('an unknown setting is refused by name', () => {
  const parsed = curateSchema.safeParse({ filters: { minSize: 3 } });
  assert.match(parsed.error?.message ?? '', /minSize/);
});
