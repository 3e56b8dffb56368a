// The order of packs: epochs, mixes by share, steps of equal cost, and the model of that cost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { createRandom } from '../core/hash.ts';
import { type CostSums, costOf, DEFAULT_COST, fitCost, packCosts } from './balance/cost.ts';
import { balanceSteps, syncEfficiency } from './balance/steps.ts';
import { drawOrder, orderEntry, orderLength, type PackOrder } from './order.ts';
import { planPacks } from './plan.ts';

function packsOf(order: PackOrder): number[] {
  return Array.from({ length: orderLength(order) }, (_, i) => orderEntry(order, i).pack);
}

/** How often every pack is read, as `pack/visit`. */
function visitsOf(order: PackOrder): string[] {
  return Array.from({ length: orderLength(order) }, (_, i) => {
    const { pack, visit } = orderEntry(order, i);
    return `${pack}/${visit}`;
  }).sort();
}

test('sets with weights and epochs alternate evenly and give exact counts', () => {
  const sets = [
    { numPacks: 50, epochs: 2 },
    { numPacks: 1000, weight: 3 },
    { numPacks: 10, weight: 1 },
  ];
  const order = drawOrder([{ sets, length: 500 }], 3);
  const setOf = (pack: number): number => (pack < 50 ? 0 : pack < 1050 ? 1 : 2);
  const drawn = packsOf(order).map(setOf);
  const count = (set: number, until: number): number =>
    drawn.slice(0, until).filter((other) => other === set).length;
  assert.deepEqual(
    [0, 1, 2].map((set) => count(set, 500)),
    [100, 300, 100],
  );
  for (let until = 1; until <= 500; until += 1) {
    assert.ok(Math.abs(count(0, until) - 0.2 * until) <= 1);
    assert.ok(Math.abs(count(1, until) - 0.6 * until) <= 1);
  }
  // Every pack of the first set twice, its second visit after every first one.
  const firsts = Array.from({ length: 500 }, (_, i) => orderEntry(order, i)).filter(
    ({ pack }) => pack < 50,
  );
  assert.ok(firsts.slice(0, 50).every(({ visit }) => visit === 0));
  assert.equal(new Set(firsts.slice(50).map(({ pack }) => pack)).size, 50);
  // The third set is read ten times, each time in another order.
  const small = packsOf(order).filter((pack) => pack >= 1050);
  assert.equal(new Set(small.slice(0, 10)).size, 10);
  assert.notDeepEqual(small.slice(0, 10), small.slice(10, 20));
});

test('sets without a share are mixed by their size', () => {
  const order = drawOrder([{ sets: [{ numPacks: 30 }, { numPacks: 90 }], length: 120 }], 1);
  assert.deepEqual(
    packsOf(order).sort((a, b) => a - b),
    Array.from({ length: 120 }, (_, i) => i),
  );
});

test('shares that do not fill a phase, and sets that are empty, are refused', () => {
  const refused = (code: string) => (error: unknown) =>
    error instanceof OneVisionError && error.code === code;
  assert.throws(
    () => drawOrder([{ sets: [{ numPacks: 10, epochs: 2 }], length: 25 }], 1),
    refused('recipe'),
  );
  assert.throws(
    () =>
      drawOrder(
        [
          {
            sets: [
              { numPacks: 10, count: 30 },
              { numPacks: 9, weight: 1 },
            ],
            length: 20,
          },
        ],
        1,
      ),
    refused('recipe'),
  );
  assert.throws(() => drawOrder([{ sets: [{ numPacks: 0 }], length: 1 }], 1), refused('data'));
  assert.throws(
    () =>
      drawOrder(
        [
          {
            sets: [
              { numPacks: 0, weight: 1 },
              { numPacks: 5, weight: 1 },
            ],
            length: 4,
          },
        ],
        1,
      ),
    refused('data'),
  );
});

test('balanced steps hold the same packs, cost alike, and come in a seeded order', () => {
  const random = createRandom('costs');
  const costs = Float64Array.from({ length: 3000 }, () => Math.exp(random.normal()));
  const order = drawOrder([{ sets: [{ numPacks: 3000 }], length: 7000 }], 2);
  for (const shape of [
    { packsPerStep: 8, ranks: 8 },
    { packsPerStep: 64, ranks: 16 },
    { packsPerStep: 128, ranks: 128 },
  ]) {
    const balanced = balanceSteps(order, costs, shape, 5);
    assert.deepEqual(visitsOf(balanced), visitsOf(order));
    assert.deepEqual(balanceSteps(order, costs, shape, 5), balanced);
    assert.notDeepEqual(balanceSteps(order, costs, shape, 6), balanced);
    const before = syncEfficiency(order, costs, shape);
    const after = syncEfficiency(balanced, costs, shape);
    assert.ok(
      after > (shape.ranks < 100 ? 0.9 : 0.7) && after > before,
      `${shape.ranks} ranks: ${before} → ${after}`,
    );
    // The steps are shuffled: the first of them is not the costliest.
    const sum = (step: number): number =>
      packsOf(balanced)
        .slice(step * shape.packsPerStep, (step + 1) * shape.packsPerStep)
        .reduce((total, pack) => total + (costs[pack] ?? 0), 0);
    const sums = Array.from({ length: 40 }, (_, step) => sum(step));
    assert.notDeepEqual(
      sums,
      sums.toSorted((a, b) => b - a),
    );
  }
});

test('synchronisation efficiency by hand', () => {
  const order = Uint32Array.of(0, 0, 1, 0, 2, 0, 3, 0);
  const costs = Float64Array.of(1, 3, 2, 2);
  assert.equal(syncEfficiency(order, costs, { packsPerStep: 2, ranks: 2 }), (2 + 2) / (3 + 2));
  assert.equal(syncEfficiency(order, costs, { packsPerStep: 4, ranks: 2 }), 1);
  assert.equal(syncEfficiency(order, costs, { packsPerStep: 2, ranks: 1 }), 1);
});

test('the cost of packs is the sum over their samples, and is found again from times', () => {
  const random = createRandom('fit');
  const tokens = Uint32Array.from({ length: 4000 }, () => 50 + random.int(3000));
  const patches = Uint32Array.from(tokens, (n) => 4 * random.int(n));
  const limits = { tokens: 8192, patches: 40_000, segments: 100 };
  const plan = planPacks({ tokens, patches }, limits, { seed: 1 });
  const model = { attention: 3e-6, linear: 0.02, vision: 1e-7 };
  const costs = packCosts(plan, { tokens, patches }, model);
  const sums: CostSums[] = [];
  for (let pack = 0; pack < plan.numPacks; pack += 1) {
    const own = [...plan.members.subarray(plan.starts[pack], plan.starts[pack + 1])];
    const total = (of: (sample: number) => number): number =>
      own.reduce((sum, sample) => sum + of(sample), 0);
    const n = (sample: number): number => tokens[sample] ?? 0;
    const p = (sample: number): number => patches[sample] ?? 0;
    sums.push([total((s) => n(s) ** 2), total(n), total((s) => p(s) ** 2)]);
    assert.ok(Math.abs(costOf(model, sums[pack] ?? [0, 0, 0]) - (costs[pack] ?? 0)) < 1e-6);
  }
  const times = [...costs].map((cost) => cost * (1 + 0.01 * random.normal()));
  const fitted = fitCost(sums, times);
  for (const term of ['attention', 'linear', 'vision'] as const) {
    const error = Math.abs(fitted[term] - model[term]) / model[term];
    assert.ok(error < 0.2, `${term}: ${fitted[term]} for ${model[term]}`);
  }
  // A term that times do not show is zero, never negative.
  const flat = fitCost(
    sums,
    sums.map(([, n]) => 0.02 * n),
  );
  assert.ok(flat.attention >= 0 && flat.vision >= 0 && Math.abs(flat.linear - 0.02) < 1e-4);
  assert.ok(costOf(DEFAULT_COST, [8192 ** 2, 8192, 0]) < 1.2 * costOf(DEFAULT_COST, [0, 8192, 0]));
});
