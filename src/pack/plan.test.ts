// The plan as properties: every sample once, no budget broken, close to the bound, same by seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { createRandom, hashUint32 } from '../core/hash.ts';
import {
  type Lengths,
  type PackLimits,
  type PackPlan,
  type PlanOptions,
  planPacks,
} from './plan.ts';

/** Lognormal token lengths; image samples get patches in proportion. */
function drawLengths(count: number, mean: number, sigma: number, seed: number): Lengths {
  const random = createRandom('lengths', seed);
  const tokens = new Uint32Array(count);
  const patches = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    const length = Math.round(Math.exp(mean + sigma * random.normal()));
    tokens[i] = Math.max(8, Math.min(8192, length));
    patches[i] = random.next() < 0.8 ? 4 * random.int((tokens[i] ?? 0) + 1) : 0;
  }
  return { tokens, patches };
}

function membersOf(plan: PackPlan): Uint32Array[] {
  return Array.from({ length: plan.numPacks }, (_, pack) =>
    plan.members.subarray(plan.starts[pack], plan.starts[pack + 1]),
  );
}

function check(lengths: Lengths, limits: PackLimits, plan: PackPlan): void {
  const seen = new Uint8Array(lengths.tokens.length);
  for (const { sample, reason } of plan.overlong) {
    seen[sample] = 1;
    assert.ok((lengths[reason][sample] ?? 0) > limits[reason]);
  }
  for (const members of membersOf(plan)) {
    let tokens = 0;
    let patches = 0;
    members.forEach((sample) => {
      seen[sample] = (seen[sample] ?? 0) + 1;
      tokens += lengths.tokens[sample] ?? 0;
      patches += lengths.patches[sample] ?? 0;
    });
    assert.ok(members.length >= 1 && members.length <= limits.segments);
    assert.ok(tokens <= limits.tokens && patches <= limits.patches);
  }
  assert.ok(seen.every((times) => times === 1));
  assert.ok(plan.numPacks >= plan.lowerBound);
}

const LOOSE = { tokens: 8192, patches: 1_000_000, segments: 1_000_000 };

test('every sample once, no budget broken, whichever budget binds', () => {
  const random = createRandom('limits');
  const cases: PackLimits[] = [
    LOOSE,
    { ...LOOSE, segments: 4 },
    { ...LOOSE, patches: 8192 },
    { tokens: 8192, patches: 16_384, segments: 16 },
    { tokens: 1024, patches: 700, segments: 8 },
  ];
  for (let i = 0; i < 15; i += 1) {
    cases.push({
      tokens: 500 + random.int(9000),
      patches: 500 + random.int(20_000),
      segments: 1 + random.int(40),
    });
  }
  for (const [seed, limits] of cases.entries()) {
    const lengths = drawLengths(random.int(900), 6.35, 0.72, seed);
    check(lengths, limits, planPacks(lengths, limits, { seed }));
  }
});

test('the gap to the bound is nil on caption-shaped lengths', () => {
  const lengths = drawLengths(100_000, 6.35, 0.72, 1);
  const plan = planPacks(lengths, LOOSE, { seed: 1 });
  assert.ok(plan.gap < 0.0005, `gap ${plan.gap}`);
  assert.ok(plan.fill > 0.999, `fill ${plan.fill}`);
  assert.deepEqual(plan.methods, ['drawn']);
});

test('a binding patch budget leads the plan', () => {
  const lengths = drawLengths(20_000, 6.35, 0.72, 2);
  const limits = { tokens: 65_536, patches: 16_384, segments: 1000 };
  const plan = planPacks(lengths, limits, { seed: 1 });
  check(lengths, limits, plan);
  assert.ok(plan.gap < 0.005, `gap ${plan.gap}`);
});

test('both budgets in equally short supply', () => {
  const lengths = drawLengths(20_000, 6.35, 0.72, 3);
  const sum = (values: Uint32Array): number => values.reduce((a, b) => a + b, 0);
  const patches = Math.round((8192 * sum(lengths.patches)) / sum(lengths.tokens));
  const limits = { tokens: 8192, patches, segments: 1000 };
  const plan = planPacks(lengths, limits, { seed: 1 });
  check(lengths, limits, plan);
  assert.ok(plan.gap < 0.06, `gap ${plan.gap}`);
});

test('sizes that leave gaps are planned by patterns, as well as can be', () => {
  const tokens = Uint32Array.from({ length: 30_000 }, (_, i) => [1000, 2304, 3249][i % 3] ?? 0);
  const plan = planPacks({ tokens, patches: new Uint32Array(30_000) }, LOOSE, { seed: 1 });
  assert.deepEqual(plan.methods, ['patterns']);
  assert.ok(plan.fill < 0.99 && plan.gap < 0.0005, `fill ${plan.fill}, gap ${plan.gap}`);
});

test('the same seed gives the same plan, another seed another composition of the same size', () => {
  const lengths = drawLengths(5000, 6.35, 0.72, 4);
  const plan = planPacks(lengths, LOOSE, { seed: 5 });
  assert.deepEqual(planPacks(lengths, LOOSE, { seed: 5 }), plan);
  const other = planPacks(lengths, LOOSE, { seed: 6 });
  assert.equal(other.numPacks, plan.numPacks);
  assert.notDeepEqual(other.members, plan.members);
});

test('equal lengths are drawn at random, so packs mix what came in order', () => {
  const tokens = new Uint32Array(1000).fill(100);
  const limits = { ...LOOSE, tokens: 1000 };
  const plan = planPacks({ tokens, patches: new Uint32Array(1000) }, limits, { seed: 1 });
  const mixed = membersOf(plan).filter(
    (own) => own.some((sample) => sample < 500) && own.some((sample) => sample >= 500),
  );
  assert.equal(plan.numPacks, 100);
  assert.ok(mixed.length > 90);
});

test('sources of different lengths share packs, at no loss of fill', () => {
  // 10,000 samples of 20–40 tokens, then 10,000 of 60–90, in packs of 4096.
  const tokens = Uint32Array.from({ length: 20_000 }, (_, i) =>
    i < 10_000 ? 20 + (hashUint32('short', i) % 21) : 60 + (hashUint32('long', i) % 31),
  );
  const limits = { ...LOOSE, tokens: 4096 };
  const plan = planPacks({ tokens, patches: new Uint32Array(20_000) }, limits, { seed: 1 });
  const shares = membersOf(plan).map(
    (own) => own.filter((sample) => sample < 10_000).length / own.length,
  );
  const mixed = shares.filter((share) => share > 0.3 && share < 0.8).length;
  assert.ok(mixed / shares.length > 0.97, `${mixed} of ${shares.length} packs are mixed`);
  assert.equal(plan.gap, 0);
});

test('sources kept apart share no pack', () => {
  const lengths = drawLengths(6000, 6.35, 0.72, 6);
  const apart = Uint16Array.from({ length: 6000 }, (_, i) => hashUint32('source', i) % 3);
  for (const multiple of [1, 16]) {
    const plan = planPacks(lengths, LOOSE, { seed: 1, apart, multiple });
    check(lengths, LOOSE, plan);
    assert.equal(plan.numPacks % multiple, 0);
    for (const own of membersOf(plan)) {
      assert.equal(new Set(Array.from(own, (sample) => apart[sample])).size, 1);
    }
  }
});

test('the number of packs is a multiple, and the added packs are like the others', () => {
  const lengths = drawLengths(9000, 6.35, 0.72, 7);
  const limits = { ...LOOSE, patches: 40_000 };
  for (const multiple of [2, 7, 64, 500]) {
    const plan = planPacks(lengths, limits, { seed: 1, multiple });
    check(lengths, limits, plan);
    assert.equal(plan.numPacks % multiple, 0);
    assert.equal(plan.lowerBound % multiple, 0);
    assert.equal(plan.gap, 0);
    const last = membersOf(plan).at(-1) ?? new Uint32Array();
    assert.ok(last.length > 2, `multiple ${multiple}: ${last.length} samples in the last pack`);
  }
});

test('too long samples and too many patches are listed with the reason', () => {
  const lengths = {
    tokens: Uint32Array.of(10, 101, 10, 20),
    patches: Uint32Array.of(0, 0, 51, 50),
  };
  const plan = planPacks(lengths, { tokens: 100, patches: 50, segments: 8 }, { seed: 1 });
  assert.deepEqual(plan.overlong, [
    { sample: 1, reason: 'tokens' },
    { sample: 2, reason: 'patches' },
  ]);
  assert.deepEqual(plan.members.toSorted(), Uint32Array.of(0, 3));
});

test('no samples, no packs', () => {
  const none = { tokens: new Uint32Array(), patches: new Uint32Array() };
  const plan = planPacks(none, LOOSE, { seed: 1 });
  assert.deepEqual([plan.numPacks, plan.lowerBound, plan.fill, plan.gap], [0, 0, 0, 0]);
});

test('limits that make no sense are refused by name', () => {
  const lengths = { tokens: Uint32Array.of(10, 20), patches: Uint32Array.of(64, 0) };
  const refuses = (change: Partial<PackLimits & PlanOptions>, message: RegExp): void => {
    const limits = { ...LOOSE, ...change };
    assert.throws(
      () => planPacks(lengths, limits, { seed: 1, multiple: change.multiple }),
      (error) =>
        error instanceof OneVisionError && error.code === 'recipe' && message.test(error.message),
    );
  };
  refuses({ tokens: 0 }, /at least 1 for tokens of a pack, came 0/);
  refuses({ patches: 0 }, /at least 1 for patches/);
  refuses({ segments: 0.5 }, /at least 1 for segments/);
  refuses({ multiple: 0 }, /at least 1 for multiple/);
  refuses({ patches: 32 }, /room for at least one image in a pack, came 32 .* takes 64/);
  refuses({ multiple: 3 }, /samples for 2 more packs to reach the multiple, came 2 in 1/);
});
