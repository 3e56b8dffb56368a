// Layout of segments: every token has one row, groups tile the rows, padding stays small.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import { cumulativeLengths, planSegments } from './segments.ts';

test('tokens and rows are one another’s inverse, groups tile the rows', () => {
  for (let trial = 0; trial < 50; trial++) {
    const random = createRandom('segments', trial);
    const lengths = Array.from({ length: 1 + random.int(20) }, () => random.int(30));
    const plan = planSegments(cumulativeLengths(lengths), { groupCost: random.pick([0, 3, 16]) });
    assert.equal(
      plan.numTokens,
      lengths.reduce((a, b) => a + b, 0),
    );
    for (let token = 0; token < plan.numTokens; token++) {
      assert.equal(plan.tokenOfRow[plan.rowOfToken[token] as number], token);
    }
    let row = 0;
    for (const group of plan.groups) {
      assert.equal(group.offset, row);
      row += group.count * group.length;
    }
    assert.equal(row, plan.numRows);
    assert.equal(plan.tokenOfRow.filter((token) => token < 0).length, row - plan.numTokens);
  }
});

test('exact groups have no padding; equal lengths make one group in order', () => {
  const plan = planSegments(cumulativeLengths([4, 2, 4, 2]), { groupCost: 0 });
  assert.deepEqual(plan.groups, [
    { offset: 0, count: 2, length: 2 },
    { offset: 4, count: 2, length: 4 },
  ]);
  assert.equal(plan.numRows, plan.numTokens);
  const even = planSegments(cumulativeLengths([5, 5, 5]), { groupCost: 0 });
  assert.equal(even.groups.length, 1);
  assert.deepEqual(
    [...even.rowOfToken],
    Array.from({ length: 15 }, (_, i) => i),
  );
});

test('groups are worth padding up to their cost', () => {
  const lengths = [10, 11, 12, 40];
  assert.equal(planSegments(cumulativeLengths(lengths), { groupCost: 0 }).groups.length, 4);
  const plan = planSegments(cumulativeLengths(lengths), { groupCost: 16 });
  assert.deepEqual(
    plan.groups.map((group) => [group.count, group.length]),
    [
      [3, 12],
      [1, 40],
    ],
  );
});

test('the plan costs no more than any cut of the sorted lengths', () => {
  const random = createRandom('optimal');
  const lengths = Array.from({ length: 9 }, () => 1 + random.int(40)).sort((a, b) => a - b);
  const groupCost = 9;
  const plan = planSegments(cumulativeLengths(lengths), { groupCost });
  const cost = plan.numRows + groupCost * plan.groups.length;
  for (let cuts = 0; cuts < 1 << 8; cuts++) {
    let rows = 0;
    let groups = 0;
    let start = 0;
    for (let i = 0; i < 9; i++) {
      if (i < 8 && (cuts & (1 << i)) === 0) continue;
      rows += (i + 1 - start) * (lengths[i] as number);
      groups += 1;
      start = i + 1;
    }
    assert.ok(cost <= rows + groupCost * groups);
  }
});

test('bounds that fall or do not start at 0 are refused', () => {
  for (const wrong of [[0, 5, 3], [1, 2], []]) {
    assert.throws(() => planSegments(Int32Array.from(wrong), { groupCost: 0 }), {
      code: 'data',
      message: /segment bounds that start at 0/,
    });
  }
});
