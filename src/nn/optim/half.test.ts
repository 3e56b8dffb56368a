// Half precision beside exact sums: masters, stochastic rounding, offload, averages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxDifference } from '../../../test/support/gradients.ts';
import { createRandom } from '../../core/hash.ts';
import { createGenerator, fromArray, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { AdamW } from './adamw.ts';
import { Ema } from './ema.ts';
import { Masters } from './masters.ts';
import { roundStochastically } from './stochastic.ts';

function random(name: string, shape: readonly number[], dtype: 'float32' | 'bfloat16'): Tensor {
  const source = createRandom('half', name);
  const length = shape.reduce((a, b) => a * b, 1);
  return fromArray(
    Array.from({ length }, () => source.normal()),
    shape,
    { dtype },
  );
}

test('stochastic rounding: a neighbour in bfloat16, right on average, exact values kept', () => {
  tidy(() => {
    const x = ops.expand(fromArray([1.001, -2.9, 1e-30, 0.5], [4, 1]), [4, 20_000]);
    const rounded = ops.toCopy(roundStochastically(x, createGenerator('cpu', 7)), {
      dtype: 'float32',
    });
    const mean = ops.mul(ops.sumDim(rounded, [1]), fromArray([1 / 20_000], [1])).toNumbers();
    const exact = [1.001, -2.9, 1e-30, 0.5].map(Math.fround);
    for (const [i, value] of mean.entries()) {
      const step = Math.abs(exact[i] ?? 0) * 2 ** -7;
      assert.ok(Math.abs(value - (exact[i] ?? 0)) < 0.02 * step, `${value}`);
      const seen = new Set(rounded.toNumbers().slice(20_000 * i, 20_000 * (i + 1)));
      assert.ok(i === 3 ? seen.size === 1 : seen.size === 2, `${[...seen]}`);
    }
    const odd = fromArray([Number.POSITIVE_INFINITY, Number.NaN, -0], [3]);
    assert.deepEqual(roundStochastically(odd, createGenerator('cpu', 1)).toNumbers(), [
      Number.POSITIVE_INFINITY,
      Number.NaN,
      -0,
    ]);
  });
});

test('updates below half a step of bfloat16: lost by rounding to nearest, kept by both ways', () => {
  const start = [1, 1, 1, 1];
  const gradient = fromArray([1, 1, 1, 1], [4], { dtype: 'bfloat16' });
  const run = (how: 'masters' | 'stochastic'): number[] => {
    const parameter = fromArray(start, [4], { dtype: 'bfloat16' });
    const parameters = new Map([['p', parameter]]);
    const masters = how === 'masters' ? new Masters(parameters) : undefined;
    const adamw = new AdamW([{ parameters: masters?.tensors ?? parameters }], { seed: 3 });
    for (let i = 0; i < 400; i += 1) {
      parameter.grad = gradient;
      masters?.collect();
      adamw.step(1e-4);
      masters?.publish();
    }
    assert.ok(adamw.state().get('p.exp_avg')?.dtype === 'float32');
    return parameter.toNumbers();
  };
  // 400 updates of 1e-4; one step of bfloat16 below 1 is 2^-8.
  for (const value of run('masters')) assert.ok(Math.abs(value - 0.96) <= 2 ** -8);
  for (const value of run('stochastic')) assert.ok(Math.abs(value - 0.96) < 0.02, `${value}`);
  assert.deepEqual(run('stochastic'), run('stochastic'));
});

test('masters sum the gradients of micro-batches in float32 and start exact', () => {
  const exact = random('exact', [3, 5], 'float32');
  const parameter = noGrad(() => ops.toCopy(exact, { dtype: 'bfloat16' }));
  const masters = new Masters(new Map([['w', parameter]]), new Map([['w', exact]]), 'cpu');
  const master = masters.tensors.get('w') as Tensor;
  assert.equal(maxDifference(master, exact), 0);
  const gradients = [0, 1, 2].map((i) => random(`g${i}`, [3, 5], 'bfloat16'));
  for (const gradient of gradients) {
    parameter.grad = gradient;
    masters.collect();
    assert.equal(parameter.grad, null);
  }
  const sums = gradients.map((g) => g.toNumbers());
  const expected = sums[0]?.map((_, i) => sums.reduce((total, g) => total + (g[i] ?? 0), 0)) ?? [];
  assert.ok(maxDifference(master.grad as Tensor, expected) < 1e-6);
});

test('a resumed run in half precision goes on to the bit', () => {
  const make = (): { parameter: Tensor; masters: Masters; adamw: AdamW } => {
    const parameter = random('resume', [4, 4], 'bfloat16');
    const masters = new Masters(new Map([['w', parameter]]));
    return { parameter, masters, adamw: new AdamW([{ parameters: masters.tensors }]) };
  };
  const run = ({ parameter, masters, adamw }: ReturnType<typeof make>, steps: number[]): void => {
    for (const step of steps) {
      parameter.grad = random(`step ${step}`, [4, 4], 'bfloat16');
      masters.collect();
      adamw.step(1e-2);
      masters.publish();
      for (const tensor of masters.tensors.values()) tensor.grad = null;
    }
  };
  const whole = make();
  run(whole, [1, 2, 3, 4]);
  const first = make();
  run(first, [1, 2]);
  const second = make();
  second.masters.loadState(first.masters.state());
  second.adamw.loadState(first.adamw.state());
  assert.equal(maxDifference(second.parameter, first.parameter), 0);
  run(second, [3, 4]);
  assert.equal(
    maxDifference(
      second.masters.tensors.get('w') as Tensor,
      whole.masters.tensors.get('w') as Tensor,
    ),
    0,
  );
});

test('the moving average follows its formula and resumes', () => {
  const parameter = random('ema', [6], 'float32');
  const sources = new Map([['w', parameter]]);
  using ema = new Ema(sources, 0.9);
  let expected = parameter.toNumbers();
  for (let i = 0; i < 5; i += 1) {
    noGrad(() => ops.mulScalar_(parameter, 1.5));
    ema.update();
    const now = parameter.toNumbers();
    expected = expected.map((e, j) => 0.9 * e + 0.1 * (now[j] ?? 0));
  }
  assert.ok(maxDifference(ema.state().get('w') as Tensor, expected) < 1e-5);
  using other = new Ema(sources, 0.9);
  other.loadState(ema.state());
  assert.equal(maxDifference(other.state().get('w') as Tensor, ema.state().get('w') as Tensor), 0);
});
