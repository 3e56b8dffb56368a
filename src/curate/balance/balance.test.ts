// Balancing in memory and its figures: closed forms against many draws, and numbers by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BalanceItem, balance, countConcepts } from '../../../test/support/balance.ts';
import { createRandom } from '../../core/hash.ts';
import { type BalanceConfig, balanceSchema } from '../config.ts';
import { describeConcepts, drawHistograms, frequencyClasses, gini } from '../report/statistics.ts';
import { createHeap } from './smallest.ts';

const items: BalanceItem[] = [
  { uid: 'a', concepts: ['flag'] },
  { uid: 'b', concepts: ['flag'] },
  { uid: 'c', concepts: ['flag', 'unicorn'] },
  { uid: 'd', concepts: ['dog'] },
  { uid: 'e', concepts: [] },
  { uid: 'f', concepts: [] },
];

const settings = (own: Partial<BalanceConfig>): BalanceConfig =>
  balanceSchema.parse({ target: 1, ...own });

const pool = (name: string, size: number, numConcepts: number): BalanceItem[] => {
  const random = createRandom(name);
  return Array.from({ length: size }, (_, i) => {
    const draw = (): string => `c${Math.floor(numConcepts * random.next() ** 4)}`;
    const concepts = [...new Set(Array.from({ length: random.int(4) }, draw))];
    return { uid: `s${i}`, concepts, language: random.pick(['en', 'en', 'de']) };
  });
};

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

test('weights are sums or means of 1/f; samples without a concept share one', () => {
  const third = 1 / 3;
  const scores = (own: Partial<BalanceConfig>) => [...balance(items, settings(own), 1).scores];
  assert.deepEqual(scores({}), [third, third, third + 1, 1, 0.5, 0.5]);
  const mean = [third, third, (third + 1) / 2, 1, 0.5, 0.5];
  assert.deepEqual(scores({ aggregate: 'mean' }), mean);
  assert.deepEqual(scores({ rule: 'uniform' }), [1, 1, 1, 1, 1, 1]);
});

test('without replacement the first winner is drawn with p = w / Σw', () => {
  for (const aggregate of ['sum', 'mean'] as const) {
    const config = settings({ aggregate, target: 1 / 6 });
    const { scores } = balance(items, config, 0);
    const wins = new Array<number>(items.length).fill(0);
    const numDraws = 4000;
    for (let seed = 0; seed < numDraws; seed++) {
      const winner = balance(items, config, seed).copies.indexOf(1);
      wins[winner] = (wins[winner] ?? 0) + 1;
    }
    for (const [i, weight] of scores.entries()) {
      const p = weight / sum(scores);
      const error = Math.abs((wins[i] ?? 0) / numDraws - p);
      assert.ok(error < 4 * Math.sqrt((p * (1 - p)) / numDraws), `${items[i]?.uid}: ${error}`);
    }
  }
});

test('without replacement two of three: inclusion as computed by hand', () => {
  // Weights 1, ½ and ½: P(a in) = 1 − 2 · P(b then c) = 1 − 2 · (½/2)(½/1.5)
  const three = [
    { uid: 'a', concepts: ['x'] },
    { uid: 'b', concepts: ['y'] },
    { uid: 'c', concepts: ['y'] },
  ];
  const expected = 1 - 2 * 0.25 * (0.5 / 1.5);
  let hits = 0;
  for (let seed = 0; seed < 4000; seed++) {
    const { copies } = balance(three, settings({ target: 2 / 3 }), seed);
    assert.equal(sum(copies), 2);
    hits += copies[0] ?? 0;
  }
  assert.ok(Math.abs(hits / 4000 - expected) < 0.03, `${hits / 4000}, not ${expected}`);
});

test('with replacement each sample comes n·p times on average, and never far from it', () => {
  for (const aggregate of ['sum', 'mean'] as const) {
    const config = settings({ aggregate, target: 1.5, replacement: true });
    const { scores, expected } = balance(items, config, 0);
    const sums = new Array<number>(items.length).fill(0);
    let distinct = 0;
    const numDraws = 4000;
    for (let seed = 0; seed < numDraws; seed++) {
      for (const [i, count] of balance(items, config, seed).copies.entries()) {
        assert.ok(Math.abs(count - (9 * (scores[i] ?? 0)) / sum(scores)) < 1);
        sums[i] = (sums[i] ?? 0) + count;
        distinct += count > 0 ? 1 : 0;
      }
    }
    for (const [i, total] of sums.entries()) {
      const mean = (9 * (scores[i] ?? 0)) / sum(scores);
      assert.ok(Math.abs(total / numDraws - mean) < 0.035);
    }
    assert.ok(Math.abs(expected.rows - 9) < 1e-9, 'Σ w from the counts alone');
    assert.ok(Math.abs(distinct / numDraws - expected.distinct) < 0.05);
  }
});

test('metaclip-t keeps a row with 1 − Π(1 − min(1, t/f)): as tossing a coin a concept', () => {
  const all = pool('metaclip', 400, 30);
  const config = settings({ rule: 'metaclip-t', t: 12 });
  const first = balance(all, config, 0);
  const english = all.filter((item) => item.language === 'en');
  const counts = countConcepts(english);
  const random = createRandom('coins');
  const numDraws = 200;
  let tossed = 0;
  for (const [i, item] of all.entries()) {
    if (item.language !== 'en') continue;
    const keep = item.concepts.map((concept) => Math.min(1, 12 / (counts.get(concept) ?? 0)));
    const lose = keep.reduce((product, p) => product * (1 - p), 1);
    assert.ok(Math.abs((first.scores[i] ?? 0) - (1 - lose)) < 1e-12);
    for (let draw = 0; draw < numDraws; draw++) {
      tossed += keep.some((p) => random.next() < p) ? 1 : 0;
    }
  }
  let kept = 0;
  let rows = 0;
  for (let seed = 0; seed < numDraws; seed++) {
    const { copies } = balance(all, config, seed);
    rows += sum(copies);
    kept += sum(copies.filter((_, i) => all[i]?.language === 'en'));
  }
  assert.ok(Math.abs(tossed - kept) / kept < 0.02, `${tossed} tossed, ${kept} kept`);
  const { expected } = first;
  const error = (4 * expected.deviation) / Math.sqrt(numDraws);
  assert.ok(Math.abs(rows / numDraws - expected.rows) < error);
  const plain = all.flatMap((item, i) => (item.concepts.length === 0 ? [first.scores[i]] : []));
  assert.ok(plain.length > 0 && plain.every((score) => score === 0), 'no concept, not kept');
});

test('one tail share gives each language its own t', () => {
  const rows = (language: string, scale: number): BalanceItem[] =>
    [1, 2, 3, 10].flatMap((count, c) =>
      Array.from({ length: count * scale }, (_, i) => {
        return { uid: `${language}${c}-${i}`, concepts: [`c${c}`], language };
      }),
    );
  const all = [...rows('en', 10), ...rows('de', 1)];
  const keepOf = (own: Partial<BalanceConfig>, language: string) => {
    const { scores } = balance(all, settings({ rule: 'metaclip-t', ...own }), 0);
    const found = all.flatMap((item, i) => (item.language === language ? [scores[i] ?? 0] : []));
    return [...new Set(found)];
  };
  // en counts 10, 20, 30, 100: below t = 40 lie 60 of 160; de counts 1, 2, 3, 10: 6 of 16.
  assert.deepEqual(keepOf({ t: 40 }, 'en'), [1, 0.4]);
  assert.deepEqual(keepOf({ t: 40 }, 'de'), [1, 0.30000000000000004]);
  assert.deepEqual(keepOf({ tailShare: 6 / 16 }, 'de'), [1, 0.30000000000000004]);
  assert.deepEqual(keepOf({ t: 40, reference: 'en' }, 'en'), keepOf({ t: 40 }, 'en'));
  assert.throws(() => keepOf({ t: 40, reference: 'fr' }, 'en'), /reference language fr/);
});

test('a draw depends on uid and seed, not on the order of the samples', () => {
  const all = pool('order', 200, 20);
  const rules: Partial<BalanceConfig>[] = [
    { target: 0.4 },
    { target: 0.4, replacement: true },
    { rule: 'metaclip-t', t: 8 },
    { rule: 'uniform', target: 0.3 },
  ];
  for (const own of rules) {
    const forward = balance(all, settings(own), 5).copies;
    const backward = balance(all.toReversed(), settings(own), 5).copies;
    assert.deepEqual(forward, backward.toReversed());
    assert.notDeepEqual(forward, balance(all, settings(own), 6).copies);
    if (own.replacement !== true && own.target !== undefined) {
      assert.equal(sum(forward), own.target * 200);
    }
  }
});

test('balancing a skewed pool lowers its Gini', () => {
  const skewed = pool('skewed', 2000, 100);
  const giniOf = (own: Partial<BalanceConfig>): number => {
    const counts = countConcepts(skewed, balance(skewed, settings(own), 1).copies);
    return describeConcepts(Uint32Array.from(counts.values())).gini;
  };
  const before = giniOf({ rule: 'uniform' });
  const half = giniOf({ target: 0.5 });
  const repeated = giniOf({ replacement: true });
  const thinned = giniOf({ rule: 'metaclip-t', t: 20 });
  assert.ok(half < before - 0.05 && repeated < half, `${before} → ${half}, ${repeated}`);
  assert.ok(thinned < before - 0.05, `${thinned}`);
});

test('the n-th smallest of many numbers', () => {
  const random = createRandom('heap');
  const values = Array.from({ length: 100_000 }, (_, i) =>
    i % 50 === 0 ? Number.POSITIVE_INFINITY : random.next() ** 9 * 10 ** random.int(6),
  );
  const heap = createHeap();
  for (const value of values) heap.push(value);
  const sorted = values.toSorted((a, b) => a - b);
  for (const n of [1, 2, 17, 2500, 98_000]) assert.equal(heap.smallest(n), sorted[n - 1]);
  assert.equal(heap.smallest(98_001), Number.POSITIVE_INFINITY);
  assert.equal(heap.smallest(0), -1);
});

test('Gini, top share and classes of known lists', () => {
  assert.equal(gini([1, 1, 1, 1]), 0);
  assert.equal(gini([0, 0, 0, 4]), 0.75);
  assert.equal(gini([1, 2, 3]), 2 / 9);
  assert.equal(gini([]), 0);
  const counts = Uint32Array.from({ length: 101 }, (_, i) => (i === 0 ? 101 : i === 100 ? 0 : 1));
  const figures = describeConcepts(counts);
  assert.deepEqual(
    [figures.concepts, figures.occurrences, figures.topShare, figures.singletons],
    [100, 200, 0.505, 99],
  );
  assert.deepEqual(frequencyClasses(counts), [99, 0, 0, 0, 0, 0, 1]);
  assert.equal(drawHistograms(counts, counts).length, 8);
});
