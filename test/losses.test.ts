// The golden loss file: a refactor keeps it identical, byte for byte. A change of numerics writes it
// anew and says why: node test/support/losses.ts > test/fixtures/losses/demo.txt
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lossLines, machineLine } from './support/losses.ts';

const FILE = new URL('fixtures/losses/demo.txt', import.meta.url);
/** On another processor or libtorch sums are rounded elsewhere. */
const TOLERANCE = 1e-3;

test('losses are those of the golden file, and the same on every run', async (t) => {
  const [machine, ...golden] = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  const lines = await lossLines();
  assert.deepEqual(await lossLines(), lines);
  if (machine === machineLine()) return assert.deepEqual(lines, golden);
  t.diagnostic(`made on another machine (${machine}): compared within ${TOLERANCE}`);
  assert.equal(lines.length, golden.length);
  for (const [i, line] of lines.entries()) {
    const [came, expected] = [line, golden[i] ?? ''].map((row) => row.split(' '));
    assert.deepEqual(came?.slice(0, 2), expected?.slice(0, 2));
    for (const column of [2, 3]) {
      const ratio = Number(came?.[column]) / Number(expected?.[column]);
      assert.ok(Math.abs(ratio - 1) < TOLERANCE, `${line} against ${golden[i]}`);
    }
  }
});
