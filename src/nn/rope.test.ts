// Rotary embedding against its formula; patch coordinates in merge-block order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxDifference, randomLeaf } from '../../test/support/gradients.ts';
import { fromArray } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { applyRope, gridAngles, inverseFrequencies, lineAngles, ropeTable } from './rope.ts';

test('inverse frequencies are base^(−2j/dim)', () => {
  const inverse = inverseFrequencies(8, 10000);
  assert.ok(maxDifference(inverse, [1, 0.1, 0.01, 0.001]) < 1e-8);
});

test('halves rotate against each other by position · inverse frequency', () => {
  const x = randomLeaf('x', [3, 2, 8]);
  const angles = lineAngles(Int32Array.of(0, 1, 7), 8, 100);
  const table = ropeTable(fromArray(angles, [3, 4], { dtype: 'float64' }));
  const input = x.toNumbers();
  const expected = input.map((value, i) => {
    const dim = i % 8;
    const angle = angles[Math.floor(i / 16) * 4 + (dim % 4)] as number;
    const partner = dim < 4 ? -(input[i + 4] as number) : (input[i - 4] as number);
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
  assert.ok(maxDifference(applyRope(x, table), expected) < 1e-12);
  // Heads of a wider tensor are read where they lie.
  const beside = ops.cat([randomLeaf('other', [3, 1, 8]), x], { dim: 1 });
  assert.ok(maxDifference(applyRope(ops.narrow(beside, 1, 1, 2), table), expected) < 1e-12);
});

test('patches run in merge blocks; y comes before x; frames repeat', () => {
  const angles = gridAngles(Int32Array.of(2, 2, 4), 2, 4); // dim 4: one frequency, y and x
  const frame = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [0, 2],
    [0, 3],
    [1, 2],
    [1, 3],
  ].flat();
  assert.deepEqual([...angles], [...frame, ...frame]);
});

test('half precision is rotated in float32 and returned as it came', () => {
  const x = fromArray([1, 2, 3, 4], [1, 1, 4], { dtype: 'bfloat16' });
  const table = ropeTable(fromArray([0.5, 0.25], [1, 2]));
  const out = applyRope(x, table);
  assert.equal(out.dtype, 'bfloat16');
  assert.ok(Math.abs((out.toNumbers()[0] ?? 0) - (Math.cos(0.5) - 3 * Math.sin(0.5))) < 1e-2);
});
