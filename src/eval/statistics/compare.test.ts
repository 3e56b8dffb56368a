// Comparing two runs: which test is used, what it says, and that runs of other items are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from '../../core/errors.ts';
import { createRandom } from '../../core/hash.ts';
import { compareRuns, mcnemarExact } from './compare.ts';
import { clusterInterval } from './intervals.ts';
import { pairedDeviation } from './power.ts';

const scores = (values: readonly number[]) =>
  new Map(values.map((value, index) => [String(index), value]));

test('right or wrong, independent: exact McNemar', () => {
  const first = scores([...Array(50).fill(1), ...Array(30).fill(0), ...Array(20).fill(1)]);
  const second = scores([...Array(50).fill(1), ...Array(30).fill(1), ...Array(20).fill(0)]);
  const result = compareRuns(first, second);
  assert.equal(result.method, 'mcnemar-exact');
  assert.deepEqual([result.onlyFirst, result.onlySecond], [20, 30]);
  assert.equal(result.difference, 0.1);
  assert.equal(result.pValue, mcnemarExact(20, 30));
  assert.ok(result.interval.low < 0.1 && result.interval.high > 0.1);
  assert.deepEqual(result, compareRuns(first, second));
});

test('clusters: the bootstrap draws whole ones, so agreement within them widens the interval', () => {
  const random = createRandom('clusters', 5);
  const first: number[] = [];
  const second: number[] = [];
  for (let cluster = 0; cluster < 40; cluster++) {
    const [a, b] = [random.int(2), random.int(2)];
    for (let item = 0; item < 10; item++) {
      first.push(a);
      second.push(b);
    }
  }
  const alone = compareRuns(scores(first), scores(second));
  const shared = compareRuns(scores(first), scores(second), (uid) => uid.slice(0, -1) || '0');
  assert.equal(shared.method, 'paired-bootstrap');
  const width = ({ interval }: typeof shared): number => interval.high - interval.low;
  assert.ok(width(shared) > 2 * width(alone), `${width(shared)} against ${width(alone)}`);
});

test('equal runs differ by nothing; other items are refused', () => {
  const same = compareRuns(scores([1, 0, 0.5]), scores([1, 0, 0.5]));
  assert.deepEqual([same.difference, same.pValue], [0, 1]);
  for (const [a, b] of [
    [scores([1]), scores([1, 0])],
    [scores([1]), new Map([['other', 1]])],
    [scores([]), scores([])],
  ] as const) {
    assert.throws(
      () => compareRuns(a, b),
      (error) => error instanceof OneVisionError && error.code === 'data',
    );
  }
});

test('coverage: nine in ten and more of the cluster intervals hold the truth', () => {
  const random = createRandom('coverage', 2);
  let held = 0;
  for (let round = 0; round < 300; round++) {
    const values: number[] = [];
    const clusters: string[] = [];
    for (let cluster = 0; cluster < 50; cluster++) {
      const p = random.range(0.2, 0.8);
      for (let item = 0; item < 6; item++) {
        values.push(random.next() < p ? 1 : 0);
        clusters.push(String(cluster));
      }
    }
    const { low, high } = clusterInterval(values, clusters);
    if (low <= 0.5 && high >= 0.5) held += 1;
  }
  assert.ok(held / 300 > 0.91 && held / 300 < 0.99, `${held} of 300`);
});

test('runs that agree need fewer items', () => {
  assert.ok(pairedDeviation(0.7, 0.72, 0.8) < pairedDeviation(0.7, 0.72));
  assert.ok(Math.abs(pairedDeviation(0.5, 0.5) - Math.sqrt(0.5)) < 1e-12);
});
