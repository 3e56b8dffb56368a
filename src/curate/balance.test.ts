// Balancing and its figures: closed forms against many draws, and numbers worked out by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import {
  type BalanceItem,
  countConcepts,
  drawWith,
  drawWithout,
  expectedDistinct,
  inverseFrequencyWeights,
} from './balance.ts';
import { describeConcepts, drawHistograms, frequencyClasses, gini } from './statistics.ts';

const items: BalanceItem[] = [
  { uid: 'a', concepts: ['flag'] },
  { uid: 'b', concepts: ['flag'] },
  { uid: 'c', concepts: ['flag', 'unicorn'] },
  { uid: 'd', concepts: ['dog'] },
  { uid: 'e', concepts: [] },
  { uid: 'f', concepts: [] },
];

test('weights are sums or means of 1/f; samples without a concept share one', () => {
  const third = 1 / 3;
  assert.deepEqual(
    [...inverseFrequencyWeights(items, 'sum')],
    [third, third, third + 1, 1, 0.5, 0.5],
  );
  assert.deepEqual(
    [...inverseFrequencyWeights(items, 'mean')],
    [third, third, (third + 1) / 2, 1, 0.5, 0.5],
  );
});

test('the sum rule gives every concept the same total weight over its samples', () => {
  const random = createRandom('concepts');
  const pool = Array.from({ length: 300 }, (_, i) => ({
    uid: `s${i}`,
    concepts: [...new Set([`c${random.int(5)}`, `c${random.int(40)}`])],
  }));
  const counts = countConcepts(pool);
  const share = new Map<string, number>();
  for (const { concepts } of pool) {
    for (const concept of concepts) {
      share.set(concept, (share.get(concept) ?? 0) + 1 / (counts.get(concept) ?? 0));
    }
  }
  for (const value of share.values()) assert.ok(Math.abs(value - 1) < 1e-9);
});

test('without replacement the first winner is drawn with p = w / Σw', () => {
  const weights = inverseFrequencyWeights(items, 'sum');
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const wins = new Array<number>(items.length).fill(0);
  const numDraws = 20_000;
  for (let seed = 0; seed < numDraws; seed++) {
    const winner = drawWithout(items, weights, 1, seed).indexOf(1);
    wins[winner] = (wins[winner] ?? 0) + 1;
  }
  for (const [i, weight] of weights.entries()) {
    const p = weight / total;
    const error = Math.abs((wins[i] ?? 0) / numDraws - p);
    assert.ok(error < 4 * Math.sqrt((p * (1 - p)) / numDraws), `${items[i]?.uid}: off by ${error}`);
  }
});

test('without replacement two of three: inclusion as computed by hand', () => {
  const three = items.slice(0, 3);
  const weights = Float64Array.from([1, 2, 3]);
  // P(1 in) = 1 − P(2 then 3) − P(3 then 2) = 1 − (2/6)(3/4) − (3/6)(2/3)
  const expected = 1 - (2 / 6) * (3 / 4) - (3 / 6) * (2 / 3);
  let hits = 0;
  for (let seed = 0; seed < 20_000; seed++) hits += drawWithout(three, weights, 2, seed)[0] ?? 0;
  assert.ok(Math.abs(hits / 20_000 - expected) < 0.014, `${hits / 20_000} instead of ${expected}`);
});

test('with replacement each sample comes n·p times on average, and never far from it', () => {
  const weights = inverseFrequencyWeights(items, 'sum');
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const numWanted = 9;
  const sums = new Array<number>(items.length).fill(0);
  let distinct = 0;
  const numDraws = 10_000;
  for (let seed = 0; seed < numDraws; seed++) {
    const copies = drawWith(items, weights, numWanted, seed);
    for (const [i, count] of copies.entries()) {
      const expected = (numWanted * (weights[i] ?? 0)) / total;
      assert.ok(Math.abs(count - expected) < 1);
      sums[i] = (sums[i] ?? 0) + count;
      distinct += count > 0 ? 1 : 0;
    }
  }
  for (const [i, sum] of sums.entries()) {
    assert.ok(Math.abs(sum / numDraws - (numWanted * (weights[i] ?? 0)) / total) < 0.02);
  }
  assert.ok(Math.abs(distinct / numDraws - expectedDistinct(weights, numWanted)) < 0.03);
});

test('a draw depends on uid and seed, not on the order of the samples', () => {
  const weights = inverseFrequencyWeights(items, 'sum');
  const chosen = (copies: readonly number[], list: readonly BalanceItem[]): string[] =>
    list.filter((_, i) => copies[i] === 1).map((item) => item.uid);
  const reversed = items.toReversed();
  for (let seed = 0; seed < 50; seed++) {
    const forward = chosen(drawWithout(items, weights, 3, seed), items);
    const backward = chosen(drawWithout(reversed, weights.toReversed(), 3, seed), reversed);
    assert.equal(forward.length, 3);
    assert.deepEqual(forward, backward.toReversed());
  }
});

test('balancing a skewed pool lowers its Gini', () => {
  const random = createRandom('skewed');
  const pool = Array.from({ length: 2000 }, (_, i) => ({
    uid: `s${i}`,
    concepts: [`c${Math.floor(100 * random.next() ** 4)}`],
  }));
  const weights = inverseFrequencyWeights(pool, 'sum');
  const before = describeConcepts(countConcepts(pool)).gini;
  const half = describeConcepts(countConcepts(pool, drawWithout(pool, weights, 1000, 1))).gini;
  const repeated = describeConcepts(countConcepts(pool, drawWith(pool, weights, 2000, 1))).gini;
  assert.ok(half < before - 0.05 && repeated < half, `${before} → ${half}, ${repeated}`);
});

test('Gini, top share and classes of known lists', () => {
  assert.equal(gini([1, 1, 1, 1]), 0);
  assert.equal(gini([0, 0, 0, 4]), 0.75);
  assert.equal(gini([1, 2, 3]), 2 / 9);
  assert.equal(gini([]), 0);
  const counts = new Map(Array.from({ length: 100 }, (_, i) => [`c${i}`, i === 0 ? 101 : 1]));
  const figures = describeConcepts(counts);
  assert.deepEqual(
    [figures.concepts, figures.occurrences, figures.topShare, figures.singletons],
    [100, 200, 0.505, 99],
  );
  assert.deepEqual(frequencyClasses(counts), [99, 0, 0, 0, 0, 0, 1]);
  assert.equal(drawHistograms(counts, counts).length, 8);
});
