// A batch whose rows lie over several real processes has the loss and the gradients of one, to the last
// digits of float64; what is sent is what the formula says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runRanks } from '../../test/support/ranks.ts';
import { exchangedBytes, shareHeads } from './heads.ts';
import { planImages } from './sequence.ts';

const PROGRAM = fileURLToPath(new URL('../../test/support/sequence-program.ts', import.meta.url));

test('rows over three ranks equal one process', async () => {
  const size = 3;
  const results = await runRanks(PROGRAM, size);
  for (const { code, output, errors } of results) {
    assert.equal(code, 0, errors);
    const lines = output.trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as [string, number, number]);
    assert.equal(rows.length, 11);
    for (const [what, apart] of rows) {
      assert.ok(apart < (what === 'bfloat16' ? 2 ** -5 : 1e-12), `${what}: ${apart}`);
    }
    const [, , sent] = rows.find(([what]) => what === 'text') ?? [];
    const shape = { numHeads: 6, numKvHeads: 2, headDim: 8, bytesPerElement: 8 };
    // Segments of 21 and 6 tokens in 21 rows each; 7 + 2 targets, whose losses all ranks learn.
    const around = exchangedBytes({ ...shape, numRows: 42, numLayers: 2 }, size);
    assert.equal(sent, around + 2 * (size - 1) * 8 * 9);
  }
});

test('heads are shared evenly, with the keys that they read', () => {
  assert.deepEqual(shareHeads(8, 4, 2), { numHeads: 4, kvHeads: [0, 1, 2, 3], numKvHeads: 2 });
  assert.deepEqual(shareHeads(8, 2, 4), { numHeads: 2, kvHeads: [0, 0, 1, 1], numKvHeads: 1 });
  const uneven = shareHeads(6, 2, 3);
  assert.deepEqual(uneven, { numHeads: 2, kvHeads: [0, 0, 0, 1, 1, 1], numKvHeads: 2 });
  assert.throws(() => shareHeads(6, 2, 4), RangeError);
});

test('images go to the rank with fewest patches, their tokens to the rank of their row', () => {
  const places = { patches: [8, 4, 4], tokens: [2, 1, 1], rows: [0, 1, 5, 3], numRows: 6 };
  const { imagesOf, routes } = planImages(places, 2);
  assert.deepEqual(imagesOf, [[0], [1, 2]]);
  const tokens = routes.map((from) => from.map((list) => list.map(({ token }) => token)));
  assert.deepEqual(tokens, [
    [[0, 1], []],
    [[], [2, 3]],
  ]);
});
