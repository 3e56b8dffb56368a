// Matching a source: rows, languages, pictures that do not decode, and the nearest names by embedding.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeConceptFolder } from '../../../test/support/concept-folder.ts';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../../test/support/raw-samples.ts';
import { silentLog as log } from '../../core/log.ts';
import { type ColumnRow, openColumns, sqlText } from '../../sample/columns.ts';
import { readLedger } from '../../sample/ledger.ts';
import { type Embedder, normaliseRows } from '../embed/embedder.ts';
import { PLAIN_PRODUCT } from '../embed/plain-product.ts';
import { embeddingMatcher, embedNames } from './embedding-matcher.ts';
import { matchSource } from './match-source.ts';

const root = mkdtempSync(join(tmpdir(), 'match-source-'));
after(() => rmSync(root, { recursive: true }));

async function rowsOf(output: string): Promise<ColumnRow[]> {
  using columns = await openColumns();
  const sql = `SELECT * FROM read_parquet(${sqlText(join(output, '*.parquet'))})`;
  return (await Array.fromAsync(columns.batches(sql))).flat();
}

test('a row a sample, a ledger row a record, in the order of the input', async () => {
  const list = await writeConceptFolder(join(root, 'list'), [{ name: 'cat' }, { name: 'dog' }]);
  const input = join(root, 'raw');
  const labels = { a: 'A cat.', b: 'cat', c: 'The dog!', d: 'a dog', e: 'once' };
  const samples = Object.entries(labels).map(([uid, label]) => rawSample({ uid, label }));
  await writeRaw(input, await Promise.all(samples), 3);
  const output = join(root, 'rows');
  const manifest = await matchSource({ input, output, concepts: { list }, log });
  assert.deepEqual(manifest.counts, { rows: 5, lost: 0, concepts: 2 });
  assert.deepEqual(
    manifest.files.map(({ name, count }) => [name, count]),
    [
      ['rows-000000.parquet', 3],
      ['rows-000001.parquet', 2],
    ],
  );
  assert.deepEqual(
    (await rowsOf(output)).map((row) => [row['uid'], row['concepts']]),
    [
      ['a', [0]],
      ['b', [0]],
      ['c', [1]],
      ['d', [1]],
      ['e', []],
    ],
  );
  const ledger = await Array.fromAsync(readLedger(join(output, 'ledger.jsonl')));
  assert.deepEqual(
    ledger.map(({ uid, reason }) => [uid, reason]),
    [...'abcd'].map((uid) => [uid, 'matched']).concat([['e', 'no-concept']]),
  );
});

test('what a sample says of its language decides which names count', async () => {
  const list = await writeConceptFolder(join(root, 'duck'), [
    { name: 'duck', labels: { da: ['and'] } },
    { name: 'bread' },
  ]);
  const input = join(root, 'languages');
  const metas = { a: { language: 'da' }, b: { captioner: { language: 'en' } }, c: {} };
  const samples = Object.entries(metas).map(([uid, meta]) =>
    rawSample({ uid, label: 'bread and duck', meta }),
  );
  await writeRaw(input, await Promise.all(samples));
  const output = join(root, 'language-rows');
  await matchSource({ input, output, concepts: { list }, log });
  assert.deepEqual(
    (await rowsOf(output)).map((row) => [row['language'], row['concepts']]),
    [
      ['da', [0]],
      ['en', [1, 0]],
      // Said by nobody: what it looks like, and names of every language.
      ['en', [1, 0]],
    ],
  );
});

test('a picture that does not decode has its reason in the ledger, the others their names', async () => {
  const list = await writeConceptFolder(join(root, 'signs'), [
    { name: 'small' },
    { name: 'large' },
  ]);
  const large = await drawPng(drawSvg(3));
  const images = { a: large, b: Buffer.from('no picture'), c: large.subarray(0, 40), d: large };
  const input = join(root, 'mixed');
  const samples = Object.entries(images).map(([uid, image]) =>
    rawSample({ uid, label: uid, image }),
  );
  await writeRaw(input, await Promise.all(samples));
  // An embedder by size, which refuses what is no PNG: a real model is wired the same way.
  const module = join(root, 'by-size.mjs');
  const errors = JSON.stringify(new URL('../../core/errors.ts', import.meta.url).href);
  writeFileSync(
    module,
    `import { OneVisionError } from ${errors};
    const one = (isLarge) => (isLarge ? [0, 1] : [1, 0]);
    export const embedder = { open: () => ({ name: 'size', dim: 2, close: () => undefined,
      embedTexts: async (texts) => Float32Array.from(texts.flatMap((text) => one(text === 'large'))),
      embedImages: async (images) => Float32Array.from(images.flatMap((bytes) => {
        if (bytes[0] !== 0x89) throw new OneVisionError('data', 'no PNG');
        return one(bytes.length > 40);
      })) }) };`,
  );
  const output = join(root, 'mixed-rows');
  const pictures = { module, k: 1 };
  const manifest = await matchSource({ input, output, concepts: { list }, pictures, log });
  assert.deepEqual(manifest.counts, { rows: 3, lost: 1, concepts: 2 });
  assert.deepEqual(
    (await rowsOf(output)).map((row) => [row['uid'], row['concepts']]),
    [
      ['a', [1]],
      ['c', [0]],
      ['d', [1]],
    ],
  );
  const ledger = await Array.fromAsync(readLedger(join(output, 'ledger.jsonl')));
  assert.deepEqual(
    ledger.map(({ uid, verdict, reason }) => [uid, verdict, reason]),
    [
      ['a', 'keep', 'matched'],
      ['b', 'error', 'no PNG'],
      ['c', 'keep', 'matched'],
      ['d', 'keep', 'matched'],
    ],
  );
});

test('by embedding: the nearest names of a picture', async () => {
  const vectorOf: Record<string, number[]> = { cat: [1, 0], dog: [0, 1], pet: [1, 1] };
  const embedder: Embedder = {
    name: 'fake',
    dim: 2,
    embedImages: (images) =>
      Promise.resolve(normaliseRows(Float32Array.from(images.flatMap(() => [3, 1])), 2)),
    embedTexts: (texts) =>
      Promise.resolve(
        normaliseRows(Float32Array.from(texts.flatMap((text) => vectorOf[text] ?? [])), 2),
      ),
    close: () => undefined,
  };
  const vectors = await embedNames(Object.keys(vectorOf), embedder, '{}');
  const settings = { vectors, embedder, product: PLAIN_PRODUCT, k: 2 };
  const sample = await rawSample({ uid: 'x', label: 'x' });
  const found = await embeddingMatcher(settings).match([sample, { ...sample, images: [] }]);
  assert.deepEqual(
    found.map((ids) => Array.from<string | number>(ids)),
    [[0, 2], []],
  );
  const strict = embeddingMatcher({ ...settings, minCosine: 0.9 });
  assert.deepEqual(Array.from<string | number>((await strict.match([sample]))[0] ?? []), [0]);
});
