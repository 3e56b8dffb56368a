// A list built from a small corpus: labels, translations, pairs of words.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fetchedPackages } from '../../../../test/support/packages.ts';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../../../test/support/raw-samples.ts';
import { silentLog } from '../../../core/log.ts';
import { loadOnnxRuntime } from '../../embed/onnx-runtime.ts';
import { loadConceptFolder, readConceptEntries } from '../list-file.ts';
import { createBigramCounter } from './bigrams.ts';
import { buildConcepts } from './build.ts';
import { conceptName } from './labels.ts';

const root = mkdtempSync(join(tmpdir(), 'concepts-build-'));
after(() => rmSync(root, { recursive: true }));

before(async () => {
  const labels = { de: 'Eine Katze.', ja: '猫' };
  const rows = [
    { uid: 'a', label: 'A cat.', meta: { labels, tags: ['pet'] } },
    { uid: 'b', label: 'cat', meta: { labels: { de: 'Kater' }, tags: ['pet'] } },
    { uid: 'c', label: 'The dog!', meta: { tags: ['pet'] } },
    { uid: 'd', label: 'a dog', meta: { tags: [] } },
    { uid: 'e', label: 'once', meta: { tags: ['once only', '3:15'] } },
  ];
  const samples = await Promise.all(rows.map((row) => rawSample(row)));
  await writeRaw(join(root, 'raw'), samples, 3);
});

const words = {
  wordnet: {
    senses: new Map([
      ['cat', ['1']],
      ['ice cream', ['2']],
    ]),
    synsets: new Map(),
  },
  use: { spoken: new Map(), popular: ['dog', 'sunset', 'a'] },
};

test('labels come first, then nouns and words; each once, with what others call it', async () => {
  const translations = join(root, 'translations.jsonl');
  writeFileSync(translations, '{"name":"ice cream","language":"fr","label":"une glace"}\n');
  const options = { input: join(root, 'raw'), translations, words, log: silentLog };
  const config = { nouns: 'all', numWords: 2 } as const;
  const output = join(root, 'list');
  const manifest = await buildConcepts({ ...options, output, config });
  assert.deepEqual(
    readConceptEntries(output).map(({ name, from, count, labels }) => [name, from, count, labels]),
    [
      ['pet', 'label', 3, undefined],
      ['cat', 'label', 2, { de: ['kater', 'katze'], ja: ['猫'] }],
      ['dog', 'label', 2, undefined],
      ['ice cream', 'wordnet', 0, { fr: ['glace'] }],
      ['sunset', 'word', 0, undefined],
    ],
  );
  assert.equal(manifest.counts['languages'], 3);
  const small = join(root, 'small');
  await buildConcepts({ ...options, output: small, config: { ...config, maxConcepts: 2 } });
  assert.equal(readConceptEntries(small).length, 2);
  const list = loadConceptFolder(output);
  const text = 'Zwei Kater und eine GLACE, 黒猫, ice creams at sunset';
  const named = (language: string): (string | undefined)[] =>
    Array.from(list.matcherFor(language).match(text), (id) => list.names[id]);
  assert.deepEqual(named(''), ['cat', 'ice cream', 'sunset']);
  assert.deepEqual(named('de_AT'), ['cat']);
  assert.deepEqual(named('fr'), ['ice cream']);
  assert.deepEqual(named('ja'), ['cat']);
  for (const language of ['en', 'so']) {
    assert.deepEqual(named(language), ['ice cream', 'sunset'], language);
  }
});

const packages = await fetchedPackages('languages');

test('names of emoji in 28 languages find their emoji in texts', {
  skip: 'reason' in packages ? packages.reason : false,
}, async () => {
  const image = await drawPng(drawSvg(1));
  const labels = ['robot', 'ghost', 'unicorn', 'hot dog'];
  const samples = labels.map((label) => rawSample({ uid: label, label, image }));
  const input = join(root, 'emoji');
  await writeRaw(input, await Promise.all(samples));
  const output = join(root, 'emoji-list');
  const config = { nouns: 'none', minLabelCount: 1 } as const;
  const built = await buildConcepts({
    input,
    output,
    translations: 'emoji',
    config,
    log: silentLog,
  });
  assert.equal(built.counts['languages'], 27);
  const list = loadConceptFolder(output);
  const cases: [string, string, string[]][] = [
    ['de', 'Ein Roboter spricht mit einem Gespenst.', ['robot', 'ghost']],
    ['es', 'un robot y un fantasma', ['robot', 'ghost']],
    ['fr', 'le robot et le fantôme', ['robot', 'ghost']],
    ['ja', 'ロボットとお化けがいます', ['robot', 'ghost']],
    ['zh', '机器人和鬼在一起', ['robot', 'ghost']],
    ['ru', 'привидение и робот', ['ghost', 'robot']],
  ];
  for (const [language, text, expected] of cases) {
    const found = Array.from(list.matcherFor(language).match(text), (id) => list.names[id]);
    assert.deepEqual(found, expected, `${language}: ${text}`);
  }
});

test('bad input is named', async () => {
  const base = { output: join(root, 'bad'), words, log: silentLog };
  await assert.rejects(buildConcepts({ ...base, input: join(root, 'none') }), /there is nothing/);
  const config = { nouns: 'none', minLabelCount: 99 } as const;
  await assert.rejects(
    buildConcepts({ ...base, input: join(root, 'raw'), config }),
    /expected concepts for .* found none/,
  );
  const translations = join(root, 'wrong.jsonl');
  await assert.rejects(buildConcepts({ ...base, translations }), /file of translations at/);
  writeFileSync(translations, '{"name":"cat"}\n');
  await assert.rejects(buildConcepts({ ...base, translations }), /wrong.jsonl line 1/);
  assert.throws(() => loadConceptFolder(join(root, 'raw')), /onevision|expected/i);
});

test('names of concepts from labels', () => {
  const cases: [string, string | undefined][] = [
    ['A pair of Scissors.', 'pair of scissors'],
    ['Un árbol', 'árbol'],
    ['high-speed_train', 'high speed train'],
    ['3:15', undefined],
    ['…', undefined],
    ['a sentence that goes on and on for ever', undefined],
  ];
  for (const [label, name] of cases) assert.equal(conceptName(label), name, label);
});

test('pairs by pointwise mutual information, in bits', () => {
  const counter = createBigramCounter();
  for (let i = 0; i < 8; i++) counter.add('the golden gate');
  for (let i = 0; i < 8; i++) counter.add('the red house, the blue house');
  const found = new Map(counter.take(5, 0).map(({ name, pmi }) => [name, pmi]));
  // 48 neighbours: 2 in each of 24 phrases; golden and gate 8 times each, always together.
  assert.ok(Math.abs((found.get('golden gate') ?? 0) - Math.log2((48 * 8) / (8 * 8))) < 1e-12);
  assert.ok(Math.abs((found.get('red house') ?? 0) - Math.log2((48 * 8) / (8 * 16))) < 1e-12);
  assert.equal(found.has('the golden'), false);
  assert.equal(counter.take(9, 0).length, 0);
});

test('ONNX without its package is a named error with the remedy', async () => {
  await assert.rejects(
    loadOnnxRuntime('onnxruntime-that-is-not-there'),
    (error: Error & { hint?: string }) => {
      assert.match(error.message, /needs the package/);
      assert.match(error.hint ?? '', /npm install .*onnxruntime-node/);
      return true;
    },
  );
});
