// The planners against naive ones: best-fit-decreasing by a plain loop, bounds by hand and by search,
// random orders, and the indexes below them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import { bestFitDecreasing } from './best-fit.ts';
import { lowerBound } from './bounds.ts';
import { relax } from './columns.ts';
import { drawPacks } from './drawn.ts';
import { LengthSet } from './lookup/length-set.ts';
import { Pool } from './lookup/pool.ts';
import { RoomIndex } from './lookup/room-index.ts';
import { packByPatterns, relaxationBound } from './patterns.ts';
import type { Packs, Problem } from './problem.ts';
import { drawStream } from './stream.ts';

function problemOf(
  lead: readonly number[],
  capacity: number,
  rest: Partial<Problem> & { readonly side?: Uint32Array } = {},
): Problem {
  const histogram = new Float64Array(capacity + 1);
  for (const length of lead) histogram[length] = (histogram[length] ?? 0) + 1;
  return {
    lead: Uint32Array.from(lead),
    side: undefined,
    items: undefined,
    numItems: lead.length,
    histogram,
    leadCapacity: capacity,
    sideCapacity: 0,
    segments: 1_000_000,
    seed: 1,
    ...rest,
  };
}

function check(problem: Problem, packs: Packs): void {
  const { lead, side, leadCapacity, sideCapacity, segments } = problem;
  assert.deepEqual(
    [...packs.members].sort((a, b) => a - b),
    Array.from(lead.keys()),
  );
  for (let pack = 0; pack < packs.numPacks; pack += 1) {
    const members = packs.members.subarray(packs.starts[pack], packs.starts[pack + 1]);
    const sum = (needs: Uint32Array): number =>
      members.reduce((total, sample) => total + (needs[sample] ?? 0), 0);
    assert.ok(members.length > 0 && members.length <= segments);
    assert.ok(sum(lead) <= leadCapacity);
    if (side !== undefined) assert.ok(sum(side) <= sideCapacity);
  }
}

test('best-fit-decreasing is that of a plain loop, with both budgets and the segments', () => {
  const random = createRandom('best-fit');
  for (let round = 0; round < 30; round += 1) {
    const capacity = 40 + random.int(200);
    const sideCapacity = 30 + random.int(200);
    const segments = 1 + random.int(round % 2 === 0 ? 5 : 1000);
    const lead = Array.from({ length: 300 }, () => 1 + random.int(capacity));
    // The other need follows from the length, so that equal lengths are alike in both.
    const needs = Array.from({ length: capacity + 1 }, () => random.int(sideCapacity));
    const side = Uint32Array.from(lead, (length) => needs[length] ?? 0);
    const problem = problemOf(lead, capacity, { side, sideCapacity, segments });
    const packs = bestFitDecreasing(problem);
    check(problem, packs);
    const rooms: { lead: number; side: number; segments: number }[] = [];
    for (const length of lead.toSorted((a, b) => b - a)) {
      const need = needs[length] ?? 0;
      const able = rooms.filter((r) => r.lead >= length && r.side >= need && r.segments > 0);
      able.sort((a, b) => a.lead - b.lead || b.side - a.side);
      let room = able[0];
      if (room === undefined) {
        room = { lead: capacity, side: sideCapacity, segments };
        rooms.push(room);
      }
      room.lead -= length;
      room.side -= need;
      room.segments -= 1;
    }
    assert.equal(packs.numPacks, rooms.length, `round ${round}`);
  }
});

test('drawn packs reach the sum of the lengths where sizes are many', () => {
  const random = createRandom('drawn');
  for (const count of [60, 900, 20_000]) {
    const lead = Array.from({ length: count }, () =>
      Math.min(8192, Math.ceil(Math.exp(6.35 + 0.72 * random.normal()))),
    );
    const problem = problemOf(lead, 8192);
    const packs = drawPacks(problem);
    check(problem, packs);
    assert.ok(packs.numPacks <= lowerBound(problem.histogram, 8192) + 1, `${count} samples`);
  }
});

test('patterns reach the bound of the relaxation where sizes are few', () => {
  const random = createRandom('few');
  const sizes = [784, 1156, 1156, 2304, 2916, 3249, 3249];
  const lead = Array.from({ length: 20_000 }, () => random.pick(sizes) + random.int(20));
  const problem = problemOf(lead, 8192);
  const packs = packByPatterns(problem);
  check(problem, packs);
  const bound = relaxationBound(problem.histogram, 8192);
  assert.ok(bound > 1.005 * lowerBound(problem.histogram, 8192), 'the plain bound is far below');
  assert.ok(packs.numPacks <= bound * 1.002, `${packs.numPacks} packs, bound ${bound}`);
  assert.ok(bestFitDecreasing(problem).numPacks > 1.01 * packs.numPacks);
});

test('no bound is above the optimum, found by search on small cases', () => {
  const random = createRandom('optimum');
  for (let round = 0; round < 40; round += 1) {
    const capacity = 12 + random.int(20);
    const lead = Array.from({ length: 9 }, () => 1 + random.int(capacity));
    const problem = problemOf(lead, capacity);
    const best = optimum(
      lead.toSorted((a, b) => b - a),
      capacity,
    );
    assert.ok(lowerBound(problem.histogram, capacity) <= best);
    assert.ok(relaxationBound(problem.histogram, capacity) <= best);
    for (const plan of [bestFitDecreasing, drawPacks, packByPatterns]) {
      const packs = plan(problem);
      check(problem, packs);
      assert.ok(packs.numPacks >= best);
    }
  }
});

/** The fewest packs, by trying everything. */
function optimum(lengths: readonly number[], capacity: number): number {
  let best = lengths.length;
  const place = (next: number, rooms: readonly number[]): void => {
    if (rooms.length >= best) return;
    const length = lengths[next];
    if (length === undefined) {
      best = rooms.length;
      return;
    }
    rooms.forEach((room, i) => {
      if (room >= length) place(next + 1, rooms.with(i, room - length));
    });
    place(next + 1, [...rooms, capacity - length]);
  };
  place(0, []);
  return best;
}

test('the relaxation of three sizes by hand', () => {
  // 6+4 and 3+3+4 fill a pack: 20 sixes with 20 fours, 40 threes with 20 fours.
  const { bound, patterns } = relax({ lengths: [3, 4, 6], counts: [40, 40, 20], capacity: 10 });
  assert.ok(Math.abs(bound - 40) < 0.01, `bound ${bound}`);
  const packs = patterns.reduce((sum, pattern) => sum + pattern.packs, 0);
  assert.ok(Math.abs(packs - 40) < 0.01);
  // Nothing shares a pack: the sums allow 20 packs, the relaxation knows better.
  const alone = relax({ lengths: [6], counts: [33], capacity: 10 });
  assert.ok(Math.abs(alone.bound - 33) < 1e-6);
});

test('lower bounds by hand', () => {
  const of = (capacity: number, ...lengths: number[]): number =>
    lowerBound(problemOf(lengths, capacity).histogram, capacity);
  assert.equal(of(10, 5, 5, 5), 2); // L1: 15 / 10
  assert.equal(of(10, 6, 6, 6), 3); // no two of 6 share
  assert.equal(of(10, 7, 7, 4, 4, 4), 4); // 4s do not fit beside 7s: 2 + ⌈12/10⌉
  assert.equal(of(9, 5, 5, 4, 4), 2); // odd capacity, perfect fit
  assert.equal(of(10), 0);
});

test('a stream is a permutation of what fits, another one by another seed', () => {
  const lead = Array.from({ length: 50_000 }, (_, i) => 1 + (i % 100));
  const problem = problemOf(lead, 90, { numItems: 45_000 });
  const stream = drawStream(problem, 7);
  assert.equal(new Set(stream.samples).size, 45_000);
  stream.samples.forEach((sample, i) => {
    assert.equal(stream.lengths[i], lead[sample]);
  });
  assert.deepEqual(drawStream(problem, 7), stream);
  assert.notDeepEqual(drawStream(problem, 8).samples, stream.samples);
  // Early and late samples are spread evenly over the stream.
  const late = (from: number): number =>
    stream.samples.subarray(from, from + 9000).reduce((n, s) => n + (s >= 25_000 ? 1 : 0), 0);
  for (let from = 0; from < 45_000; from += 9000) assert.ok(Math.abs(late(from) - 4500) < 250);
});

test('a set of lengths finds the next smaller one', () => {
  const random = createRandom('set');
  const set = new LengthSet(5000);
  const plain = new Set<number>();
  for (let step = 0; step < 3000; step += 1) {
    const length = random.int(5001);
    if (random.next() < 0.6) {
      set.add(length);
      plain.add(length);
    } else {
      set.delete(length);
      plain.delete(length);
    }
    const asked = random.int(5001);
    const expected = Math.max(-1, ...[...plain].filter((other) => other <= asked));
    assert.equal(set.floor(asked), expected);
  }
});

test('the room index finds the fullest pack with room in both budgets', () => {
  const random = createRandom('rooms');
  const index = new RoomIndex(50);
  const plain: { pack: number; room: number; side: number }[] = [];
  for (let pack = 0; pack < 2000; pack += 1) {
    const [room, side] = [random.int(51), random.int(30)];
    index.add(pack, room, side);
    plain.push({ pack, room, side });
    if (random.next() < 0.4) continue;
    const [askedRoom, askedSide] = [random.int(51), random.int(30)];
    const able = plain.filter((p) => p.room >= askedRoom && p.side >= askedSide);
    const least = Math.min(...able.map((p) => p.room));
    const found = index.take(askedRoom, askedSide);
    const at = plain.findIndex((p) => p.pack === found);
    assert.equal(found < 0, able.length === 0);
    if (found >= 0) assert.equal(plain[at]?.room, least);
    if (found >= 0) plain.splice(at, 1);
  }
});

test('the pool keeps its stacks through removals', () => {
  const random = createRandom('pool');
  const pool = new Pool(20, 300);
  const plain = new Map<number, { length: number; side: number }>();
  for (let sample = 0; sample < 3000; sample += 1) {
    if (pool.size < 300) {
      const own = { length: 1 + random.int(20), side: random.int(9) };
      pool.add(sample, own.length, own.side);
      plain.set(sample, own);
    }
    if (random.next() < 0.3) continue;
    const slot = random.next() < 0.5 ? pool.longest() : pool.draw(random.next());
    const own = plain.get(pool.sampleAt(slot));
    assert.deepEqual({ length: pool.lengthAt(slot), side: pool.sideAt(slot) }, own);
    plain.delete(pool.sampleAt(slot));
    pool.remove(slot);
    assert.equal(pool.size, plain.size);
    const longest = Math.max(-1, ...[...plain.values()].map(({ length }) => length));
    assert.equal(pool.floor(20), longest);
    const found = pool.find(longest, 9, -1, -1);
    if (longest > 0) assert.equal(plain.get(pool.sampleAt(found))?.length, longest);
  }
});
