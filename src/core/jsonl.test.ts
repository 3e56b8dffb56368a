// JSON lines torn at every byte, broken lines, full devices; the journal over a crash.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { openJournal } from './journal.ts';
import { openJsonl, readJsonl, readJsonlSync } from './jsonl.ts';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'onevision-jsonl-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

function appendJsonl(file: string, ...rows: readonly unknown[]): void {
  using writer = openJsonl(file);
  writer.append(...rows);
}

test('rows come back in order; a missing file has none; empty lines are none', async () => {
  appendJsonl(at('rows.jsonl'), { a: 1 }, 'zwei', null);
  fs.appendFileSync(at('rows.jsonl'), '\n');
  appendJsonl(at('rows.jsonl'), [4]);
  const rows = [{ a: 1 }, 'zwei', null, [4]];
  assert.deepEqual(await Array.fromAsync(readJsonl(at('rows.jsonl'))), rows);
  assert.deepEqual(readJsonlSync(at('rows.jsonl')), rows);
  assert.deepEqual(await Array.fromAsync(readJsonl(at('none.jsonl'))), []);
});

test('rows longer than a read block are whole', async () => {
  const long = 'é'.repeat(100_000);
  appendJsonl(at('long.jsonl'), { long }, { long });
  assert.deepEqual(await Array.fromAsync(readJsonl(at('long.jsonl'))), [{ long }, { long }]);
});

test('a last line torn at any byte never existed, and the next row is not glued to it', async () => {
  const whole = Buffer.from('{"n":1}\n{"n":"ü2"}\n');
  for (let length = 0; length <= whole.length; length++) {
    fs.writeFileSync(at('torn.jsonl'), whole.subarray(0, length));
    const kept = length === whole.length ? [{ n: 1 }, { n: 'ü2' }] : length >= 8 ? [{ n: 1 }] : [];
    assert.deepEqual(await Array.fromAsync(readJsonl(at('torn.jsonl'))), kept);
    appendJsonl(at('torn.jsonl'), { n: 3 });
    assert.deepEqual(readJsonlSync(at('torn.jsonl')), [...kept, { n: 3 }]);
  }
});

test('a torn line longer than a block is cut off too', () => {
  fs.writeFileSync(at('deep.jsonl'), `{"n":1}\n${'x'.repeat(10_000)}`);
  appendJsonl(at('deep.jsonl'), { n: 2 });
  assert.deepEqual(readJsonlSync(at('deep.jsonl')), [{ n: 1 }, { n: 2 }]);
});

test('a broken line before the last is an error with its number, invalid UTF-8 too', async () => {
  fs.writeFileSync(at('bad.jsonl'), '{"n":1}\nnonsense\n{"n":3}\n');
  const expected = { code: 'data', message: /bad\.jsonl line 2/ };
  await assert.rejects(Array.fromAsync(readJsonl(at('bad.jsonl'))), expected);
  assert.throws(() => readJsonlSync(at('bad.jsonl')), expected);
  fs.writeFileSync(at('bytes.jsonl'), Buffer.from([0x22, 0xff, 0x22, 0x0a]));
  assert.throws(() => readJsonlSync(at('bytes.jsonl')), { message: /line 1/ });
});

test('a full device is a disk error', (t) => {
  if (!fs.existsSync('/dev/full')) {
    t.skip('needs /dev/full');
    return;
  }
  assert.throws(() => appendJsonl('/dev/full', { n: 1 }), { code: 'disk', message: /ENOSPC/ });
});

test('a journal remembers what is done over a crash', () => {
  {
    using journal = openJournal(at('journal.jsonl'));
    journal.done('shard-0', { count: 3 });
    journal.done('shard-1');
    assert.equal(journal.size, 2);
  }
  fs.appendFileSync(at('journal.jsonl'), '{"key":"shard-2');
  using journal = openJournal(at('journal.jsonl'));
  assert.deepEqual(journal.get('shard-0'), { count: 3 });
  assert.equal(journal.has('shard-1'), true);
  assert.equal(journal.get('shard-1'), undefined);
  assert.equal(journal.has('shard-2'), false);
  journal.done('shard-2');
  using again = openJournal(at('journal.jsonl'));
  assert.equal(again.size, 3);
});

test('a foreign journal is refused; writing after close is an error, closing twice is not', () => {
  appendJsonl(at('foreign.jsonl'), { name: 'x' });
  assert.throws(() => openJournal(at('foreign.jsonl')), {
    code: 'data',
    message: /foreign\.jsonl/,
  });
  const writer = openJsonl(at('closed.jsonl'));
  writer.close();
  writer.close();
  assert.throws(() => writer.append(1));
});
