// What tables of the hub hold: lists written by Python, pictures in three forms, TSV with base64, files in
// the downloader's two layouts.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { listText, maybeText, picture, whole } from './fields.ts';
import { downloadCommand, findHubFolder } from './hub-folder.ts';
import { parsePythonList } from './python-list.ts';
import { openTable } from './table.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-hub-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('lists as Python writes them, and nothing else', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["['a', 'b']", ['a', 'b']],
    [`['it\\'s', "it's", 'say "x"']`, ["it's", "it's", 'say "x"']],
    [
      `['\\\\frac{1}{2}', '\\alpha \\x41 \\u00e9 \\U0001F600']`,
      ['\\frac{1}{2}', '\x07lpha A é 😀'],
    ],
    ['[]', []],
    ['[1, 2.5, None]', ['1', '2.5', 'None']],
    ["['a',]", ['a']],
  ];
  for (const [text, items] of table) assert.deepEqual(parsePythonList(text), items, text);
  for (const text of [
    'a',
    "['a'",
    "['a' 'b']",
    "['\\x4']",
    '[f(1)]',
    "['a'], ['b']",
    "['\\UFFFFFFFF']",
  ]) {
    assert.throws(() => parsePythonList(text), { code: 'data' }, text);
  }
  assert.deepEqual(listText.parse(null), []);
  assert.equal(listText.safeParse('[oops(').success, false);
});

test('cells: what a data frame writes for nothing, whole numbers in any type, pictures', async () => {
  assert.equal(maybeText.parse(Number.NaN), undefined);
  assert.equal(maybeText.parse(null), undefined);
  assert.equal(maybeText.parse('nan'), 'nan');
  assert.equal(whole.parse(7n), 7);
  assert.equal(whole.parse('7'), 7);
  assert.equal(whole.safeParse('7.5').success, false);
  const create = { width: 4, height: 4, channels: 3 as const, background: '#123' };
  const bytes = await sharp({ create }).png().toBuffer();
  for (const value of [bytes, { bytes, path: null }, bytes.toString('base64')]) {
    const found = picture.parse(value);
    assert.ok('bytes' in found && Buffer.from(found.bytes).equals(bytes));
  }
  assert.deepEqual(picture.parse(null), { fault: 'it has no picture' });
  assert.deepEqual(picture.parse({ bytes: null, path: 'x' }), {
    fault: 'its picture has no bytes',
  });
  const large = picture.parse(new Uint8Array(64 * 1024 * 1024 + 1));
  assert.ok('fault' in large && /67108865 bytes/.test(large.fault));
});

test('TSV: quoted cells with line breaks, long lines, rows by their number', async () => {
  const folder = join(root, 'tsv');
  mkdirSync(folder);
  const long = 'A'.repeat(3_000_000);
  const rows = Array.from({ length: 5 }, (_, i) => `${i}\t"line ${i}\nand ""more"""\t${long}`);
  writeFileSync(join(folder, 'x.tsv'), `index\tquestion\timage\n${rows.join('\n')}\n`);
  using table = await openTable({ folder, files: ['x.tsv'], revision: undefined }, [
    'question',
    'image',
  ]);
  assert.equal(table.numRows, 5);
  const read = await Array.fromAsync(table.read(1, 4));
  assert.deepEqual(
    read.map(({ index }) => index),
    [1, 2, 3],
  );
  assert.equal(read[0]?.fields['question'], 'line 1\nand "more"');
  assert.equal(String(read[2]?.fields['image']).length, long.length);
});

test('a data set is found where --local-dir or the cache of the downloader has it', () => {
  const source = { repo: 'own/set', revision: 'main', files: ['data/test-*.parquet'] };
  const local = join(root, 'local', 'own/set');
  mkdirSync(join(local, 'data'), { recursive: true });
  for (const name of ['test-00001', 'test-00000', 'train-00000']) {
    writeFileSync(join(local, 'data', `${name}.parquet`), '');
  }
  const notes = join(local, '.cache/huggingface/download/data');
  mkdirSync(notes, { recursive: true });
  const commit = 'c'.repeat(40);
  writeFileSync(join(notes, 'test-00000.parquet.metadata'), `${commit}\netag\n1.0\n`);
  const found = findHubFolder(source, join(root, 'local'));
  assert.deepEqual(found.files, ['data/test-00000.parquet', 'data/test-00001.parquet']);
  assert.equal(found.revision, commit);
  const snapshot = join(root, 'cache/datasets--own--set/snapshots', 'd'.repeat(40), 'data');
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(snapshot, 'test-00000.parquet'), '');
  assert.equal(findHubFolder(source, join(root, 'cache')).revision, 'd'.repeat(40));
  assert.match(
    downloadCommand({ ...source, revision: 'abc' }, 'there'),
    /^huggingface-cli download --repo-type dataset own\/set --revision abc --include 'data\/test-\*\.parquet' --local-dir there\/own\/set$/,
  );
});
