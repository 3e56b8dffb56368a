// The simulator against steps counted by hand, and the layout of units against its rules.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import { parsePiece, piecesOf, planLayout } from './layout.ts';
import { type BlockTrace, type Sharing, simulateStep, stateBytes } from './simulate.ts';

const block: BlockTrace = { forwardMs: 10, backwardMs: 20, weightBytes: 800, gradientBytes: 1600 };
const none: BlockTrace = { forwardMs: 0, backwardMs: 0, weightBytes: 0, gradientBytes: 0 };
const trace = { blocks: [block, block, block], rest: none, passes: 1, updateMs: 6 };
const link = { bytesPerMs: 100, latencyMs: 0 };

test('one rank only computes', () => {
  const alone: Sharing = { sharding: 'optimizer', ranks: 1, link };
  const expected = { stepMs: 96, exposedMs: 0, linkMs: 0, bytes: 0, overlap: 1 };
  assert.deepEqual(simulateStep(trace, alone), expected);
});

test('two ranks: gradients hide behind backward but for the last, weights do not', () => {
  const step = simulateStep(trace, { sharding: 'optimizer', ranks: 2, link });
  // 90 of compute, 8 for the first block's gradients, 3 of update, 3 × 4 of weights.
  assert.equal(step.stepMs, 90 + 8 + 3 + 12);
  assert.equal(step.exposedMs, 20);
  assert.equal(step.bytes, (3 * (800 + 1600)) / 2);
});

test('while both work, both go slower', () => {
  const together = { compute: 0.5, link: 0.25 };
  const step = simulateStep(trace, {
    sharding: 'optimizer',
    ranks: 2,
    link: { ...link, together },
  });
  // 8 of gradients take 32 beside compute, which does 16 of its 20 in them and 4 more alone: 36.
  assert.equal(step.stepMs, 30 + 20 + 36 + 36 + 8 + 3 + 12);
  assert.equal(step.exposedMs, 20);
  assert.equal(step.overlap, 1 - 20 / 36);
});

test('sums over replicas hide too, but the last', () => {
  const sharing: Sharing = { sharding: 'optimizer', ranks: 2, link };
  const replicas = { groups: 2, link: { bytesPerMs: 80, latencyMs: 0 } };
  const step = simulateStep(trace, { ...sharing, replicas });
  // A block's 10 over replicas begin when the next has gone backward, before that one's 8.
  assert.equal(step.stepMs, 90 + (10 + 8) + 10 + 3 + 12);
});

test('full sharding: the first gather and the last sum are seen; slow links show', () => {
  const fast = simulateStep(trace, { sharding: 'full', ranks: 2, link });
  assert.equal(fast.stepMs, 4 + 90 + 8 + 3);
  // Each block forward, all but the last again, gradients once.
  assert.equal(fast.bytes, (5 * 800 + 3 * 1600) / 2);
  const slow = simulateStep(trace, {
    sharding: 'full',
    ranks: 2,
    link: { bytesPerMs: 10, latencyMs: 0 },
  });
  assert.ok(slow.stepMs >= slow.linkMs && slow.linkMs === 440);
  const hybrid = simulateStep(trace, {
    sharding: 'full',
    ranks: 2,
    link,
    replicas: { groups: 4, link: { bytesPerMs: 10, latencyMs: 1 } },
  });
  assert.equal(hybrid.bytes, fast.bytes + 3 * 2 * 800 * 0.75);
});

test('state of a rank: cut evenly it falls with the number of ranks', () => {
  const parameters = { decoder: 100, rest: 0 };
  const of = (ranks: number): number => stateBytes(parameters, { sharding: 'full', ranks }, 2);
  assert.equal(of(1), 1600);
  assert.equal(of(4), 400);
  assert.equal(stateBytes(parameters, { sharding: 'optimizer', ranks: 1 }, 4), 1600);
});

test('a layout holds every element once, whole or cut', () => {
  const random = createRandom('layout');
  for (let round = 0; round < 40; round += 1) {
    const members = Array.from({ length: 1 + random.int(9) }, (_, i) => ({
      name: `p${i}`,
      shape: [1 + random.int(7), 1 + random.int(40)],
    }));
    const ranks = 1 + random.int(5);
    for (const cut of ['elements', 'whole'] as const) {
      const layout = planLayout(members, ranks, cut);
      const pieces = Array.from({ length: ranks }, (_, rank) => piecesOf(layout, rank)).flat();
      for (const { name, shape } of members) {
        const own = pieces.filter((piece) => piece.parameter === name);
        own.sort((a, b) => a.begin - b.begin);
        let next = 0;
        for (const { begin, end, offset } of own) {
          assert.equal(begin, next);
          assert.ok(offset >= 0 && offset + end - begin <= layout.part);
          next = end;
        }
        assert.equal(next, (shape[0] ?? 0) * (shape[1] ?? 0));
        if (cut === 'whole') assert.equal(own.length, 1);
      }
    }
  }
  assert.deepEqual(parsePiece('a.weight[0:8].exp_avg'), {
    parameter: 'a.weight',
    range: [0, 8],
    suffix: '.exp_avg',
  });
});
