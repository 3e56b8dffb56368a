// The plan as properties: every sample once, no budget broken, close to the bound, same by seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, hashUint32 } from '../core/hash.ts';
import { lowerBound } from './fit/bounds.ts';
import { type Lengths, type PackLimits, type PackPlan, packMembers, planPacks } from './plan.ts';

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

function check(lengths: Lengths, limits: PackLimits, plan: PackPlan): void {
  const tokens = new Float64Array(plan.numPacks);
  const patches = new Float64Array(plan.numPacks);
  const segments = new Float64Array(plan.numPacks);
  const left = new Set(plan.overlong.map((entry) => entry.sample));
  plan.packOf.forEach((pack, sample) => {
    assert.equal(pack < 0, left.has(sample));
    if (pack < 0) return;
    assert.ok(pack < plan.numPacks);
    tokens[pack] = (tokens[pack] ?? 0) + (lengths.tokens[sample] ?? 0);
    patches[pack] = (patches[pack] ?? 0) + (lengths.patches[sample] ?? 0);
    segments[pack] = (segments[pack] ?? 0) + 1;
  });
  assert.ok(tokens.every((sum) => sum > 0 && sum <= limits.tokens));
  assert.ok(patches.every((sum) => sum <= limits.patches));
  assert.ok(segments.every((sum) => sum >= 1 && sum <= limits.segments));
  assert.ok(plan.numPacks >= plan.lowerBound);
}

const LOOSE = { tokens: 8192, patches: 1_000_000, segments: 1_000_000 };

test('every sample once, no budget broken, whichever budget binds', () => {
  const cases: PackLimits[] = [
    LOOSE,
    { ...LOOSE, segments: 4 },
    { ...LOOSE, patches: 8192 },
    { tokens: 8192, patches: 16_384, segments: 16 },
    { tokens: 1024, patches: 700, segments: 8 },
  ];
  for (const [seed, limits] of cases.entries()) {
    const lengths = drawLengths(3000, 6.35, 0.72, seed);
    check(lengths, limits, planPacks(lengths, limits, seed));
  }
});

test('the plan equals plain best-fit-decreasing when one budget binds', () => {
  const limits = { tokens: 500, patches: 1_000_000, segments: 1_000_000 };
  const lengths = drawLengths(800, 4.5, 0.7, 3);
  const sorted = [...lengths.tokens].filter((length) => length <= 500).sort((a, b) => b - a);
  const rooms: number[] = [];
  for (const length of sorted) {
    let best = -1;
    rooms.forEach((room, pack) => {
      if (room >= length && (best < 0 || room < (rooms[best] ?? 0))) best = pack;
    });
    if (best < 0) best = rooms.push(500) - 1;
    rooms[best] = (rooms[best] ?? 0) - length;
  }
  const plan = planPacks(lengths, limits, 3);
  assert.equal(plan.numPacks, rooms.length);
  const left = new Float64Array(plan.numPacks).fill(500);
  plan.packOf.forEach((pack, sample) => {
    if (pack >= 0) left[pack] = (left[pack] ?? 0) - (lengths.tokens[sample] ?? 0);
  });
  assert.deepEqual(
    [...left].sort((a, b) => a - b),
    rooms.sort((a, b) => a - b),
  );
});

test('the gap to the bound stays small on caption-shaped lengths', () => {
  const lengths = drawLengths(100_000, 6.35, 0.72, 1);
  const plan = planPacks(lengths, LOOSE, 1);
  assert.ok(plan.gap < 0.001, `gap ${plan.gap}`);
  assert.ok(plan.fill > 0.998, `fill ${plan.fill}`);
});

test('a binding patch budget leads the plan', () => {
  const lengths = drawLengths(20_000, 6.35, 0.72, 2);
  const plan = planPacks(lengths, { tokens: 65_536, patches: 16_384, segments: 1000 }, 1);
  assert.ok(plan.gap < 0.005, `gap ${plan.gap}`);
});

test('the same seed gives the same plan, another seed another composition of the same size', () => {
  const lengths = drawLengths(5000, 6.35, 0.72, 4);
  const plan = planPacks(lengths, LOOSE, 5);
  assert.deepEqual(planPacks(lengths, LOOSE, 5), plan);
  const other = planPacks(lengths, LOOSE, 6);
  assert.equal(other.numPacks, plan.numPacks);
  assert.notDeepEqual(other.packOf, plan.packOf);
});

test('equal lengths are drawn at random, so packs mix what came in order', () => {
  const tokens = new Uint32Array(1000).fill(100);
  const plan = planPacks({ tokens, patches: new Uint32Array(1000) }, { ...LOOSE, tokens: 1000 }, 1);
  const { starts, members } = packMembers(plan);
  const mixed = Array.from({ length: plan.numPacks }, (_, pack) => {
    const own = members.subarray(starts[pack], starts[pack + 1]);
    return own.some((sample) => sample < 500) && own.some((sample) => sample >= 500);
  });
  assert.ok(mixed.filter(Boolean).length > 90);
});

test('sources of different short lengths share packs, at no loss of fill', () => {
  // 10,000 samples of 20–40 tokens, then 10,000 of 60–90, in packs of 4096.
  const tokens = Uint32Array.from({ length: 20_000 }, (_, i) =>
    i < 10_000 ? 20 + (hashUint32('short', i) % 21) : 60 + (hashUint32('long', i) % 31),
  );
  const limits = { ...LOOSE, tokens: 4096 };
  const plan = planPacks({ tokens, patches: new Uint32Array(20_000) }, limits, 1);
  const { starts, members } = packMembers(plan);
  const shares = Array.from({ length: plan.numPacks - 1 }, (_, pack) => {
    const own = members.subarray(starts[pack], starts[pack + 1]);
    return own.filter((sample) => sample < 10_000).length / own.length;
  });
  const mixed = shares.filter((share) => share > 0.3 && share < 0.8).length;
  assert.ok(mixed / shares.length > 0.97, `${mixed} of ${shares.length} packs are mixed`);
  assert.ok(plan.gap <= 0.004, `gap ${plan.gap}`);
});

test('too long samples and too many patches are listed with the reason', () => {
  const lengths = {
    tokens: Uint32Array.of(10, 101, 10),
    patches: Uint32Array.of(0, 0, 51),
  };
  const plan = planPacks(lengths, { tokens: 100, patches: 50, segments: 8 }, 1);
  assert.deepEqual(plan.overlong, [
    { sample: 1, reason: 'tokens' },
    { sample: 2, reason: 'patches' },
  ]);
  assert.deepEqual([...plan.packOf], [0, -1, -1]);
});

test('no samples, no packs', () => {
  const plan = planPacks({ tokens: new Uint32Array(), patches: new Uint32Array() }, LOOSE, 1);
  assert.deepEqual([plan.numPacks, plan.lowerBound, plan.fill, plan.gap], [0, 0, 0, 0]);
});

test('members of packs are the inverse of packOf', () => {
  const lengths = drawLengths(500, 6.35, 0.72, 9);
  const plan = planPacks(lengths, LOOSE, 9);
  const { starts, members } = packMembers(plan);
  assert.equal(members.length, 500);
  for (let pack = 0; pack < plan.numPacks; pack += 1) {
    for (const sample of members.subarray(starts[pack], starts[pack + 1])) {
      assert.equal(plan.packOf[sample], pack);
    }
  }
});

test('lower bounds by hand', () => {
  const histogram = (capacity: number, ...lengths: number[]): Float64Array => {
    const counts = new Float64Array(capacity + 1);
    for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
    return counts;
  };
  assert.equal(lowerBound(histogram(10, 5, 5, 5), 10), 2); // L1: 15 / 10
  assert.equal(lowerBound(histogram(10, 6, 6, 6), 10), 3); // no two of 6 share
  assert.equal(lowerBound(histogram(10, 7, 7, 4, 4, 4), 10), 4); // 4s do not fit beside 7s: 2 + ⌈12/10⌉
  assert.equal(lowerBound(histogram(9, 5, 5, 4, 4), 9), 2); // odd capacity, perfect fit
  assert.equal(lowerBound(histogram(10), 10), 0);
});
