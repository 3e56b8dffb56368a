// The original's days and dollars from its own statements, and what a recipe costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCosts, costOfFlops } from './cost.ts';
import { findGpu, type Gpu } from './gpus.ts';
import { checkOriginal } from './original.ts';
import { workOfShape } from './schedule-work.ts';

test("the original's 3.7 days and $16k follow from its stated efficiency within 15 %", () => {
  const { compared, rows, assumptions } = checkOriginal();
  assert.deepEqual(
    compared.map(({ published }) => published),
    [3.7, 16_000],
  );
  for (const { what, error } of compared) assert.ok(Math.abs(error) < 0.15, `${what}: ${error}`);
  assert.equal(rows.length, 3);
  assert.ok(assumptions.length > 5);
  // 70,000 · 112 packs of 8192
  assert.equal(rows[1]?.tokens, 64_225_280_000);
});

test('hours and dollars are FLOPs over what the GPUs do', () => {
  const gpu = findGpu('A800') as Gpu;
  const cluster = { gpu, numGpus: 10, pricePerHour: 2 };
  const cost = costOfFlops(312e12 * 3600 * 5, 0.5, cluster);
  assert.deepEqual(cost, { hours: 1, gpuHours: 10, dollars: 20 });
  assert.deepEqual(addCosts([cost, cost]), { hours: 2, gpuHours: 20, dollars: 40 });
});

test('a pack that is not there is what its shape says', () => {
  const shape = { tokens: 100, segments: 4, imageShare: 0.6, patchesPerToken: 4 };
  const work = workOfShape(shape);
  assert.equal(work.tokenSquares, 4 * 25 ** 2);
  assert.equal(work.patches, 240);
  assert.equal(work.patchSquares, 4 * 60 ** 2);
  assert.equal(work.targets, 40);
});
