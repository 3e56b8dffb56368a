// Manifests, ledgers, skip counts, splits, the concept table: what a stage leaves behind.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { readConceptTable, writeConceptTable } from './concept-table.ts';
import { LEDGER, type LedgerRow, readLedger, writeLedger } from './ledger.ts';
import { hashConfig, isComplete, type Manifest, readManifest, writeManifest } from './manifest.ts';
import { createSkipCounter } from './skips.ts';
import { splitOf } from './split.ts';

const dir = mkdtempSync(join(tmpdir(), 'manifest-'));
after(() => rmSync(dir, { recursive: true }));

const manifest: Manifest = {
  format: 'onevision/1',
  kind: 'samples',
  stage: 'test',
  configHash: 'abc',
  counts: { samples: 1 },
  files: [{ name: 'x.tar', bytes: 3, sha256: sha256Hex('abc'), count: 1 }],
  stats: { nested: { list: [1, 'two', null] } },
};

test('a stage is complete with its manifest, its settings and its files', async () => {
  assert.equal(isComplete(dir, 'abc'), false);
  await writeManifest(dir, manifest);
  assert.equal(isComplete(dir, 'abc'), false, 'the file is not there');
  writeFileSync(join(dir, 'x.tar'), 'abc');
  assert.equal(isComplete(dir, 'abc'), true);
  assert.equal(isComplete(dir, 'other'), false, 'other settings');
  assert.deepEqual(readManifest(dir), manifest);
  writeFileSync(join(dir, 'x.tar'), 'ab');
  assert.equal(isComplete(dir, 'abc'), false, 'the file is cut');
});

test('a missing manifest names the remedy, a damaged one is not complete', () => {
  assert.throws(
    () => readManifest(join(dir, 'nowhere')),
    (error) => error instanceof OneVisionError && /run the stage/.test(error.hint ?? ''),
  );
  writeFileSync(join(dir, 'manifest.json'), '{"format": "onevision/1"');
  assert.equal(isComplete(dir, 'abc'), false);
  assert.throws(() => readManifest(dir), OneVisionError);
});

test('the hash of settings ignores the order of keys and nothing else', () => {
  assert.equal(
    hashConfig({ a: 1, b: { c: [1, 2], d: 3 } }),
    hashConfig({ b: { d: 3, c: [1, 2] }, a: 1 }),
  );
  assert.notEqual(hashConfig({ a: [1, 2] }), hashConfig({ a: [2, 1] }));
  assert.notEqual(hashConfig('a', 'b'), hashConfig('b', 'a'));
});

test('ledger rows come back', async () => {
  const rows: LedgerRow[] = [
    { uid: 'a', stage: 's', verdict: 'keep', reason: 'fine', score: 0.5, configHash: 'x' },
    { uid: 'b', stage: 's', verdict: 'drop', reason: 'copy', parent: 'a', configHash: 'x' },
  ];
  assert.equal(await writeLedger(join(dir, LEDGER), rows), 2);
  assert.deepEqual(await Array.fromAsync(readLedger(join(dir, LEDGER))), rows);
});

test('the concept table comes back, most frequent first', async () => {
  const table = new Map([
    ['rare', { raw: 1, clean: 1, balanced: 1 }],
    ['flag', { raw: 30, clean: 20, balanced: 10 }],
  ]);
  await writeConceptTable(dir, table);
  assert.deepEqual([...readConceptTable(dir)], [...table].reverse());
  await writeConceptTable(dir, new Map());
  assert.equal(readConceptTable(dir).size, 0);
});

test('a few skips are forgiven, too many are fatal and say why', () => {
  const few = createSkipCounter({ grace: 2 });
  few.good(10);
  few.skip('a', 'broken image', 2);
  few.check();
  assert.equal(few.numSkipped, 2);
  few.skip('b', 'no JSON');
  assert.throws(
    () => few.check(),
    (error) =>
      error instanceof OneVisionError &&
      error.code === 'data' &&
      /at most 2 bad samples of 13, got 3: 2 × broken image; 1 × no JSON.*The last one: b/.test(
        error.message,
      ),
  );
  const rate = createSkipCounter({ maxRate: 0.01 });
  rate.good(9900);
  rate.skip('c', 'x', 100);
  rate.check();
  const early = createSkipCounter({ maxRate: 0.01, expected: 10_000 });
  assert.throws(() => early.skip('d', 'x', 101), OneVisionError);
});

test('the split of a group never changes and has the stated shares', () => {
  const golden = { 'emoji:1f984': 'train', 'group:82': 'test', 'group:16': 'val' };
  for (const [group, split] of Object.entries(golden)) assert.equal(splitOf(group), split, group);
  const counts = { train: 0, val: 0, test: 0 };
  for (let i = 0; i < 20_000; i++) counts[splitOf(`group:${i}`)] += 1;
  assert.ok(Math.abs(counts.test / 20_000 - 0.05) < 0.006, `${counts.test}`);
  assert.ok(Math.abs(counts.val / 20_000 - 0.05) < 0.006, `${counts.val}`);
});
