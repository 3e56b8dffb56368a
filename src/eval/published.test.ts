// The published table: averages recomputed from its rows, and that its numbers fit their denominators.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SUITES } from './benchmark.ts';
import { PAPER_BENCHMARKS } from './benchmarks/index.ts';
import {
  isPossible,
  PUBLISHED,
  PUBLISHED_AVERAGES,
  PUBLISHED_MODELS,
  publishedAverage,
  publishedValue,
} from './published.ts';

test('27 rows, named as the benchmarks and in their order', () => {
  assert.deepEqual(
    PUBLISHED.map(({ benchmark, suite }) => [benchmark, suite]),
    PAPER_BENCHMARKS.map(({ name, suite }) => [name, suite]),
  );
  assert.ok(PUBLISHED.every(({ values }) => values.length === PUBLISHED_MODELS.length));
  assert.equal(publishedValue('v-star', 'LLaVA-OneVision-1.5-8B'), 78);
});

test('the averages of the rows are the printed ones, within the rounding of both', () => {
  for (const suite of SUITES) {
    PUBLISHED_MODELS.forEach((model, place) => {
      const printed = PUBLISHED_AVERAGES[suite][place] ?? Number.NaN;
      const recomputed = publishedAverage(suite, model);
      assert.ok(
        Math.abs(recomputed - printed) <= 0.1 + 1e-9,
        `${suite} ${model}: ${recomputed.toFixed(2)} against ${printed}`,
      );
    });
  }
});

test('every printed number is a count of its denominator; the longer ones too', () => {
  for (const { benchmark, denominator, values } of PUBLISHED) {
    if (denominator === undefined) continue;
    for (const value of values)
      assert.ok(isPossible(value, denominator, 1), `${benchmark} ${value}`);
  }
  assert.ok(isPossible(55.44, 900, 2));
  assert.ok(!isPossible(85.11, 2500, 2), 'ChartQA cannot be 85.11: a misprint');
  assert.ok(!isPossible(62.19, 540, 2) && isPossible(62.19, 529, 2), 'PixmoCount of 529, not 540');
});
