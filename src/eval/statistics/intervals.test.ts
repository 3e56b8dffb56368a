// Known values: published Wilson intervals, cluster errors by hand, a seeded bootstrap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapInterval, clusterStandardError, quantile, wilsonInterval } from './intervals.ts';

const near = (actual: number, expected: number, tolerance = 5e-4): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not near ${expected}`);

test('Wilson interval: published values', () => {
  // Newcombe 1998, table I, method 3 (score without continuity correction).
  const table: [number, number, number, number][] = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ];
  for (const [successes, trials, low, high] of table) {
    const interval = wilsonInterval(successes, trials);
    near(interval.low, low);
    near(interval.high, high);
  }
});

test('Wilson interval: symmetric, and ignorant of an empty set', () => {
  const some = wilsonInterval(3, 40);
  const rest = wilsonInterval(37, 40);
  near(some.low, 1 - rest.high, 1e-12);
  near(some.high, 1 - rest.low, 1e-12);
  assert.deepEqual(wilsonInterval(0, 0), { low: 0, high: 1 });
});

test('cluster error equals the plain standard error when each item is its own cluster', () => {
  const values = [1, 0, 1, 1, 0, 1, 0, 1];
  const singles = values.map((_, index) => String(index));
  const mean = 5 / 8;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 7;
  near(clusterStandardError(values, singles), Math.sqrt(variance / 8), 1e-12);
});

test('cluster error grows when clusters agree within themselves', () => {
  // Four clusters of two equal items: the effective sample is four, by hand √(4/3·4·1)/8.
  const values = [1, 1, 0, 0, 1, 1, 0, 0];
  const pairs = ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'];
  near(clusterStandardError(values, pairs), Math.sqrt((4 / 3) * 4) / 8, 1e-12);
  assert.ok(Number.isNaN(clusterStandardError([1, 0], ['a', 'a'])));
});

test('bootstrap: seeded, near the normal interval, wider for clusters', () => {
  const values = Array.from({ length: 400 }, (_, index) => (index % 4 === 0 ? 0 : 1));
  const singles = values.map((_, index) => String(index));
  const first = bootstrapInterval(values, singles);
  assert.deepEqual(first, bootstrapInterval(values, singles));
  near(first.low, 0.75 - 1.96 * Math.sqrt((0.75 * 0.25) / 400), 0.01);
  near(first.high, 0.75 + 1.96 * Math.sqrt((0.75 * 0.25) / 400), 0.01);
  const fours = values.map((_, index) => String(index % 40));
  const clustered = bootstrapInterval(values, fours);
  assert.ok(clustered.high - clustered.low > first.high - first.low);
  assert.deepEqual(bootstrapInterval([1, 1], ['a', 'a']), { low: 0, high: 1 });
});

test('quantile interpolates as NumPy does', () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantile([7], 0.975), 7);
});
