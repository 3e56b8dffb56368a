// Gradients against central differences in float64, grad modes, and the release of the graph.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  backward,
  enableGrad,
  fromArray,
  gradients,
  memory,
  noGrad,
  setRequiresGrad,
  type Tensor,
  tidy,
} from './index.ts';
import * as ops from './ops.ts';

const STEP = 1e-6;
const TOLERANCE = 1e-7;

/** Largest difference between autograd and (f(x + h) - f(x - h)) / 2h over all elements of x. */
function gradientError(
  values: readonly number[],
  shape: number[],
  f: (x: Tensor) => Tensor,
): number {
  return tidy(() => {
    const x = fromArray(values, shape, { dtype: 'float64', requiresGrad: true });
    const analytic = gradients(f(x), [x])[0]?.toNumbers() ?? [];
    const at = (index: number, change: number): number => {
      const moved = values.map((value, i) => (i === index ? value + change : value));
      return f(fromArray(moved, shape, { dtype: 'float64' })).item();
    };
    const errors = values.map((_, i) =>
      Math.abs((analytic[i] ?? Number.NaN) - (at(i, STEP) - at(i, -STEP)) / (2 * STEP)),
    );
    return Math.max(...errors);
  });
}

const VALUES = [0.3, -1.2, 0.8, 2.1, -0.4, 0.9];
const WEIGHT = fromArray([0.5, -0.2, 1, 0.1, 0.7, -0.9], [2, 3], { dtype: 'float64' });
const FUNCTIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  matmul: (x) => ops.sum(ops.square(ops.linear(x, WEIGHT))),
  softmax: (x) => ops.sum(ops.mul(ops.softmax(x, -1), WEIGHT)),
  'log softmax': (x) => ops.sum(ops.mul(ops.logSoftmax(x, -1), WEIGHT)),
  'layer norm': (x) => ops.sum(ops.mul(ops.layerNorm(x, [3]), WEIGHT)),
  'rms norm': (x) => ops.sum(ops.mul(ops.rmsNorm(x, [3]), WEIGHT)),
  gelu: (x) => ops.sum(ops.gelu(x, { approximate: 'tanh' })),
  silu: (x) => ops.sum(ops.mul(ops.silu(x), x)),
  'in-place on a copy': (x) => ops.sum(ops.mul_(ops.clone(x), x)),
  indexing: (x) =>
    ops.sum(ops.square(ops.indexSelect(x, 1, fromArray([2, 2, 0], [3], { dtype: 'int64' })))),
};

for (const [name, f] of Object.entries(FUNCTIONS)) {
  test(`gradient of ${name} agrees with central differences`, () => {
    assert.ok(gradientError(VALUES, [2, 3], f) < TOLERANCE);
  });
}

test('second derivatives: createGraph makes gradients differentiable', () => {
  tidy(() => {
    const x = fromArray([2], [1], { dtype: 'float64', requiresGrad: true });
    const [first] = gradients(ops.sum(ops.pow(x, 3)), [x], undefined, { createGraph: true });
    assert.ok(first);
    assert.equal(gradients(ops.sum(first), [x])[0]?.item(), 12);
  });
});

test('backward adds to grad, which can be set and cleared', () => {
  tidy(() => {
    const x = fromArray([1, 2], [2], { requiresGrad: true });
    const grad = (): number[] | undefined => x.grad?.toNumbers();
    assert.equal(grad(), undefined);
    backward(ops.sum(ops.square(x)));
    backward(ops.sum(x));
    assert.deepEqual(grad(), [3, 5]);
    x.grad = ops.zerosLike(x);
    assert.deepEqual(grad(), [0, 0]);
    x.grad = null;
    assert.equal(grad(), undefined);
    backward(ops.square(x), { gradient: fromArray([1, 10], [2]) });
    assert.deepEqual(grad(), [2, 40]);
  });
});

test('backward frees its graph unless told to keep it', () => {
  tidy(() => {
    const x = fromArray([1, 2], [2], { requiresGrad: true });
    const loss = ops.sum(ops.square(x));
    backward(loss, { retainGraph: true });
    backward(loss);
    assert.throws(() => backward(loss), /backward through the graph a second time/);
  });
});

test('an input without influence has no gradient; a graphless output is refused', () => {
  tidy(() => {
    const x = fromArray([1], [1], { requiresGrad: true });
    const other = fromArray([1], [1], { requiresGrad: true });
    assert.equal(gradients(ops.sum(x), [other])[0], null);
    assert.throws(() => backward(ops.sum(ops.detach(x))), /does not require grad/);
    assert.throws(() => setRequiresGrad(ops.square(x), false), /leaf/);
  });
});

test('noGrad and enableGrad nest and survive an error', () => {
  tidy(() => {
    const x = setRequiresGrad(fromArray([1], [1]), true);
    const records = (): boolean => ops.square(x).requiresGrad;
    assert.ok(records());
    noGrad(() => {
      assert.ok(!records());
      assert.ok(enableGrad(records));
      assert.ok(!records());
    });
    assert.throws(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    );
    assert.ok(records());
  });
});

test('two hundred steps of forward and backward leave memory flat', () => {
  const weight = fromArray(new Float32Array(64 * 64).fill(0.01), [64, 64], { requiresGrad: true });
  const step = (): void =>
    tidy(() => {
      const hidden = ops.gelu(ops.linear(ops.ones([32, 64]), weight));
      backward(ops.mean(ops.square(hidden)));
      const grad = weight.grad;
      assert.ok(grad);
      noGrad(() => ops.sub_(weight, grad, { alpha: 0.1 }));
      weight.grad = null;
    });
  step();
  const before = memory();
  const rssBefore = process.memoryUsage.rss();
  for (let i = 0; i < 200; i++) step();
  assert.deepEqual(memory(), before);
  assert.ok(process.memoryUsage.rss() - rssBefore < 32 * 1024 * 1024);
});
