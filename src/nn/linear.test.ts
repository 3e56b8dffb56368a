// Linear layers and RMSNorm without a graph: our kernels and int8 weights against float64 sums.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import { backward, type DType, fromArray, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { Linear } from './linear.ts';
import { Scope } from './module.ts';
import { int8Weights, quantiseRows } from './quantise.ts';

function randomTensor(name: string, shape: readonly number[], dtype: DType): Tensor {
  const random = createRandom('linear', name);
  const length = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, () => random.normal());
  return fromArray(data, shape, { dtype });
}

/** x Wᵀ + b in double precision from the numbers that the tensors hold. */
function naive(x: Tensor, weight: Tensor, bias: Tensor | null, scale?: Tensor): number[] {
  const [xs, ws] = [x.toNumbers(), weight.toNumbers()];
  const [bs, ss] = [bias?.toNumbers(), scale?.toNumbers()];
  const [numOut = 0, numIn = 1] = weight.shape;
  const out: number[] = [];
  for (let row = 0; row < xs.length / numIn; row++) {
    for (let o = 0; o < numOut; o++) {
      let sum = 0;
      for (let i = 0; i < numIn; i++) {
        sum += (xs[row * numIn + i] as number) * (ws[o * numIn + i] as number);
      }
      out.push(sum * (ss?.[o] ?? 1) + (bs?.[o] ?? 0));
    }
  }
  return out;
}

/** Largest difference relative to the largest value. */
function error(came: Tensor, expected: readonly number[]): number {
  const values = came.toNumbers();
  assert.equal(values.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (
    values.reduce((most, v, i) => Math.max(most, Math.abs(v - (expected[i] as number))), 0) /
    largest
  );
}

/** Blocks of rows and outputs, and what is left over of both and of chunks of sixteen. */
const SHAPES = [
  [1, 8, 4],
  [2, 31, 7],
  [3, 64, 130],
  [4, 5, 3],
  [7, 40, 66],
  [16, 24, 9],
  [6, 48, 11],
  [40, 33, 10],
] as const;

for (const [dtype, tolerance] of [
  ['float32', 2e-6],
  ['bfloat16', 5e-3],
] as const) {
  test(`few and many rows, ${dtype}, equal the sums in double precision`, () => {
    for (const [rows, numIn, numOut] of SHAPES) {
      tidy(() => {
        const x = randomTensor('x', [rows, numIn], dtype);
        const weight = randomTensor('w', [numOut, numIn], dtype);
        for (const bias of [null, randomTensor('b', [numOut], dtype)]) {
          const out = noGrad(() => ops.linearRows(x, weight, { bias }));
          assert.equal(out.dtype, dtype);
          const expected = naive(x, weight, bias);
          assert.ok(error(out, expected) < tolerance, `${rows} × ${numIn} → ${numOut}`);
        }
      });
    }
  });

  test(`int8 weights, ${dtype}, equal the product with the weights written out`, () => {
    for (const [rows, numIn, numOut] of SHAPES) {
      tidy(() => {
        const x = randomTensor('x', [rows, numIn], dtype);
        const { weight, scale } = quantiseRows(randomTensor('w', [numOut, numIn], dtype));
        const bias = randomTensor('b', [numOut], dtype);
        const out = noGrad(() => ops.linearRows(x, weight, { bias, scale }));
        assert.equal(out.dtype, dtype);
        const expected = naive(x, weight, bias, scale);
        assert.ok(error(out, expected) < tolerance, `${rows} × ${numIn} → ${numOut}`);
      });
    }
  });
}

test('quantised rows are within half a step of the weights; a row of zeros stays zeros', () => {
  tidy(() => {
    const matrix = randomTensor('q', [50, 37], 'bfloat16');
    ops.zero_(ops.narrow(matrix, 0, 3, 1));
    const { weight, scale } = quantiseRows(matrix);
    const [bytes, scales, original] = [weight, scale, matrix].map((t) => t.toNumbers());
    for (const [i, value] of (original as number[]).entries()) {
      const step = scales?.[Math.floor(i / 37)] as number;
      const byte = bytes?.[i] as number;
      assert.ok(Math.abs(byte) <= 127 && Math.abs(byte * step - value) <= 0.5001 * step);
    }
    assert.equal(Math.max(...(bytes as number[]).map(Math.abs)), 127);
  });
});

test('leading dimensions stay, other layouts are read right, no row gives no row', () => {
  tidy(() =>
    noGrad(() => {
      const weight = ops.t(randomTensor('t', [8, 5], 'float32'));
      const x = randomTensor('x', [2, 3, 8], 'float32');
      const out = ops.linearRows(x, weight);
      assert.deepEqual(out.shape, [2, 3, 5]);
      assert.ok(error(out, naive(x, weight, null)) < 2e-6);
      assert.deepEqual(ops.linearRows(ops.zeros([0, 8]), weight).shape, [0, 5]);
    }),
  );
});

test('where a graph is recorded the product is aten::linear, gradients included', () => {
  tidy(() => {
    const x = randomTensor('x', [3, 9], 'float32');
    const grads = [ops.linear, ops.linearRows].map((product) => {
      const weight = randomTensor('w', [5, 9], 'float32');
      weight.requiresGrad = true;
      const out = product(x, weight);
      backward(ops.sum(ops.square(out)));
      return [out.toArray(), weight.grad?.toArray()];
    });
    assert.deepEqual(grads[0], grads[1]);
  });
});

test('a layer from an int8 source multiplies bytes; wrong scales are refused', () => {
  tidy(() => {
    const full = randomTensor('layer', [6, 16], 'bfloat16');
    const given = (name: string): Tensor => (name === 'a.weight' ? ops.clone(full) : ops.ones([6]));
    const source = int8Weights(given, { tiedHead: false });
    const layer = new Linear(new Scope(source).child('a'), 16, 6, { bias: true });
    const names = ['a.weight', 'a.weight_scale', 'a.bias'];
    assert.deepEqual([...layer.namedParameters().keys()], names);
    assert.equal(layer.weight.dtype, 'int8');
    const x = randomTensor('x', [2, 16], 'float32');
    const out = noGrad(() => layer.forward(x));
    const expected = naive(x, full, null).map((value) => value + 1);
    assert.ok(error(out, expected) < 0.02);
    const scale = ops.ones([5]);
    assert.throws(() => ops.linearRows(x, layer.weight), /a scale with int8 weights/);
    assert.throws(() => ops.linearRows(x, layer.weight, { scale }), /one scale for each row/);
    assert.throws(() => ops.linearRows(x, full, { scale }), /a scale with int8 weights/);
  });
});

for (const [dtype, tolerance] of [
  ['float32', 1e-6],
  ['bfloat16', 8e-3],
] as const) {
  test(`RMSNorm without a graph, ${dtype}, equals the definition`, () => {
    for (const shape of [
      [1, 1024],
      [3, 2, 13],
      [5, 8],
    ]) {
      tidy(() => {
        const dim = shape.at(-1) as number;
        const x = randomTensor('norm x', shape, dtype);
        const weight = randomTensor('norm w', [dim], dtype);
        const out = noGrad(() => ops.rmsNormRows(x, weight, 1e-3));
        assert.deepEqual([out.dtype, out.shape], [dtype, shape]);
        const [values, scales] = [x.toNumbers(), weight.toNumbers()];
        const expected = values.map((value, i) => {
          const row = values.slice(i - (i % dim), i - (i % dim) + dim);
          const mean = row.reduce((sum, v) => sum + v * v, 0) / dim;
          return (value / Math.sqrt(mean + 1e-3)) * (scales[i % dim] as number);
        });
        assert.ok(error(out, expected) < tolerance, `${shape}`);
      });
    }
  });
}
