// Optimizers against their formulas, exact resume, clipping and the schedule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxDifference, randomLeaf } from '../../../test/support/gradients.ts';
import { createRandom } from '../../core/hash.ts';
import { fromArray, memory, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { cosineLr } from '../schedule.ts';
import { AdamW } from './adamw.ts';
import { isMuonMatrix, Muon, orthogonalise, QUINTICS } from './muon.ts';
import {
  clipGradNorm,
  combineOptimizers,
  type Optimizer,
  type ParameterGroup,
  zeroGradients,
} from './optimizer.ts';

/** Give every parameter the gradient that a step number stands for. */
function setGradients(parameters: ReadonlyMap<string, Tensor>, step: number): void {
  for (const [name, parameter] of parameters) {
    const random = createRandom('grad', name, step);
    const data = Float64Array.from({ length: parameter.numel }, () => random.normal());
    parameter.grad = fromArray(data, parameter.shape);
  }
}

function parameters(): Map<string, Tensor> {
  return new Map([
    ['a.weight', randomLeaf('a', [4, 6])],
    ['b.weight', randomLeaf('b', [4, 6])],
    ['c.weight', randomLeaf('c', [7, 3])],
    ['c.bias', randomLeaf('c.bias', [3])],
  ]);
}

function groups(all: ReadonlyMap<string, Tensor>): {
  matrices: ParameterGroup;
  rest: ParameterGroup;
} {
  const entries = [...all];
  return {
    matrices: {
      parameters: new Map(entries.filter(([name, p]) => isMuonMatrix(name, p))),
      weightDecay: 0.1,
    },
    rest: {
      parameters: new Map(entries.filter(([name, p]) => !isMuonMatrix(name, p))),
      lrScale: 0.5,
    },
  };
}

function both(all: ReadonlyMap<string, Tensor>): Optimizer {
  const { matrices, rest } = groups(all);
  return combineOptimizers([new Muon([matrices]), new AdamW([rest])]);
}

test('AdamW follows its formula', () => {
  const all = parameters();
  const parameter = all.get('a.weight') as Tensor;
  const expected = parameter.toNumbers();
  const [mean, square] = [new Float64Array(24), new Float64Array(24)];
  const group = {
    parameters: new Map([['a.weight', parameter]]),
    lrScale: 2,
    weightDecay: 0.1,
  };
  const adamw = new AdamW([group], { betas: [0.9, 0.99], eps: 1e-5 });
  for (let step = 1; step <= 5; step++) {
    setGradients(all, step);
    const gradient = parameter.grad?.toNumbers() ?? [];
    const lr = 0.01 * step * 2;
    for (let i = 0; i < 24; i++) {
      const g = gradient[i] as number;
      mean[i] = 0.9 * (mean[i] as number) + 0.1 * g;
      square[i] = 0.99 * (square[i] as number) + 0.01 * g * g;
      const root = Math.sqrt((square[i] as number) / (1 - 0.99 ** step)) + 1e-5;
      const update = (mean[i] as number) / (1 - 0.9 ** step) / root;
      expected[i] = (expected[i] as number) * (1 - lr * 0.1) - lr * update;
    }
    adamw.step(0.01 * step);
  }
  assert.ok(maxDifference(parameter, expected) < 1e-12);
});

test('Newton–Schulz: a half-orthogonal matrix of the same rows and columns', () => {
  for (const [rows, columns] of [
    [4, 16],
    [5, 12],
    [12, 5],
  ] as const) {
    tidy(() => {
      const stack = noGrad(() => orthogonalise(randomLeaf('ns', [3, rows, columns], 40)));
      assert.deepEqual(stack.shape, [3, rows, columns]);
      const wide = rows <= columns ? stack : ops.transpose(stack, 1, 2);
      const gram = ops.bmm(wide, ops.transpose(wide, 1, 2)).toNumbers();
      const side = Math.min(rows, columns);
      for (let i = 0; i < gram.length; i++) {
        const onDiagonal = Math.floor(i / side) % side === i % side;
        // Singular values end in [0.74, 1.27], their squares in [0.54, 1.62].
        assert.ok(Math.abs((gram[i] as number) - (onDiagonal ? 1.08 : 0)) < 0.54);
      }
    });
  }
});

test('Newton–Schulz: four quintics take singular values from [0.0025, 1] into [0.74, 1.27]', () => {
  for (let exponent = 0; exponent <= 1; exponent += 1e-4) {
    let value = 0.0025 ** exponent;
    for (const [a, b, c] of QUINTICS) value = a * value + b * value ** 3 + c * value ** 5;
    assert.ok(value > 0.74 && value < 1.27, `${0.0025 ** exponent} becomes ${value}`);
  }
});

test('Newton–Schulz over the Gram matrix is X ← aX + (bA + cA²)X, A = XXᵀ, for each quintic', () => {
  for (const shape of [
    [2, 6, 40],
    [3, 13, 21],
    [2, 40, 9],
    [1, 50, 50],
    [2, 3, 9],
    [1, 4, 4],
  ]) {
    tidy(() =>
      noGrad(() => {
        const exact = randomLeaf('ns', shape, 3);
        let x = ops.div(exact, ops.linalgVectorNorm(exact, { dim: [1, 2], keepdim: true }));
        for (const [a, b, c] of QUINTICS) {
          const gram = ops.bmm(x, ops.transpose(x, 1, 2));
          const inner = ops.add(ops.mulScalar(gram, b), ops.bmm(gram, gram), { alpha: c });
          x = ops.add(ops.mulScalar(x, a), ops.bmm(inner, x));
        }
        for (const dtype of ['float64', 'float32'] as const) {
          const came = orthogonalise(ops.toCopy(exact, { dtype }));
          assert.deepEqual([came.dtype, came.shape], [dtype, shape]);
          const difference = maxDifference(came, x.toNumbers());
          assert.ok(difference < (dtype === 'float64' ? 1e-6 : 1e-4), `${shape} ${difference}`);
        }
      }),
    );
  }
});

test('the Gram form in float32 keeps three digits where singular values span six decades', () => {
  tidy(() =>
    noGrad(() => {
      const half = (label: string, columns: number): Tensor =>
        orthogonalise(orthogonalise(randomLeaf(label, [1, 64, columns])));
      const exponents = ops.mulScalar(ops.arange(64, { dtype: 'float64' }), (-6 * Math.LN10) / 64);
      const exact = ops.bmm(ops.mul(half('left', 64), ops.exp(exponents)), half('right', 192));
      const expected = orthogonalise(exact);
      const came = orthogonalise(ops.toCopy(exact, { dtype: 'float32' }));
      const error = ops.sub(ops.toCopy(came, { dtype: 'float64' }), expected);
      const [off, all] = [error, expected].map((x) => ops.linalgVectorNorm(x).item()) as [
        number,
        number,
      ];
      assert.ok(off < 1e-3 * all, `${off / all}`);
    }),
  );
});

test('a symmetric product in float32 equals the whole one in double precision', () => {
  for (const [matrices, rows, depth] of [
    [2, 6, 40],
    [3, 13, 21],
    [1, 50, 50],
    [2, 3, 9],
    [1, 4, 5],
  ] as const) {
    tidy(() =>
      noGrad(() => {
        const x = randomLeaf('product', [matrices, rows, depth]);
        const across = ops.contiguous(ops.transpose(x, 1, 2));
        const added = ops.bmm(x, across);
        // Powers of one symmetric matrix commute, so their product is symmetric too.
        for (const [a, b] of [
          [x, across],
          [added, ops.bmm(added, added)],
        ] as const) {
          const whole = ops.mulScalar(ops.bmm(a, b), 0.5);
          const expected = ops.add(whole, added, { alpha: -2 });
          const narrow = (tensor: Tensor): Tensor => ops.toCopy(tensor, { dtype: 'float32' });
          const more = { added: narrow(added), alpha: 0.5, beta: -2 };
          const came = ops.symmetricBmm(narrow(a), narrow(b), more);
          const scale = ops.linalgVectorNorm(expected).item();
          assert.ok(maxDifference(came, expected.toNumbers()) < 1e-5 * scale, `${rows} ${depth}`);
        }
      }),
    );
  }
});

test('Muon: momentum, look-ahead, AdamW-sized update, decoupled decay', () => {
  tidy(() => {
    const all = parameters();
    const list = [all.get('a.weight') as Tensor, all.get('b.weight') as Tensor];
    const before = list.map((p) => p.toNumbers());
    const { matrices } = groups(all);
    assert.deepEqual([...matrices.parameters.keys()], ['a.weight', 'b.weight', 'c.weight']);
    const muon = new Muon([matrices]);
    setGradients(all, 1);
    muon.step(0.02);
    for (const [i, parameter] of list.entries()) {
      // The first direction is that of the gradient: (0.05 · 0.95 + 0.05) g.
      const gradient = ops.view(parameter.grad as Tensor, [1, 4, 6]);
      const direction = noGrad(() => orthogonalise(ops.mulScalar(gradient, 0.0975))).toNumbers();
      const expected = (before[i] ?? []).map(
        (x, j) => x * (1 - 0.02 * 0.1) - 0.02 * 0.2 * Math.sqrt(6) * (direction[j] as number),
      );
      assert.ok(maxDifference(parameter, expected) < 1e-9);
    }
  });
});

test('which parameters are Muon’s', () => {
  const shapeOf = (...shape: number[]): Tensor => ops.zeros(shape);
  assert.ok(isMuonMatrix('visual.patch_embed.proj.weight', shapeOf(8, 3, 2, 2)));
  assert.ok(isMuonMatrix('visual.merger.mlp.0.weight', shapeOf(8, 8)));
  assert.ok(isMuonMatrix('model.layers.0.mlp.up_proj.weight', shapeOf(8, 4)));
  assert.ok(!isMuonMatrix('model.embed_tokens.weight', shapeOf(8, 4)));
  assert.ok(!isMuonMatrix('lm_head.weight', shapeOf(8, 4)));
  assert.ok(!isMuonMatrix('visual.class_pos_emb', shapeOf(1, 4)));
  assert.ok(!isMuonMatrix('model.norm.weight', shapeOf(4)));
});

test('a resumed optimizer goes on to the bit', () => {
  const run = (all: Map<string, Tensor>, optimizer: Optimizer, steps: readonly number[]): void => {
    for (const step of steps) {
      setGradients(all, step);
      optimizer.step(0.01);
    }
  };
  const whole = parameters();
  run(whole, both(whole), [1, 2, 3, 4, 5]);
  const first = parameters();
  const optimizer = both(first);
  run(first, optimizer, [1, 2, 3]);
  const saved = new Map([...optimizer.state()].map(([name, t]) => [name, ops.clone(t)]));
  assert.deepEqual(
    [...saved.keys()],
    ['a', 'b', 'c']
      .map((name) => `${name}.weight.momentum`)
      .concat(['exp_avg', 'exp_avg_sq', 'step'].map((name) => `c.bias.${name}`)),
  );
  const second = parameters();
  noGrad(() => {
    for (const [name, p] of second) ops.copy_(p, first.get(name) as Tensor);
  });
  const resumed = both(second);
  resumed.loadState(saved);
  run(second, resumed, [4, 5]);
  for (const [name, p] of whole) assert.equal(maxDifference(p, second.get(name) as Tensor), 0);
});

test('a state that does not fit is refused with its name', () => {
  const all = parameters();
  const saved = new Map(both(all).state());
  saved.delete('b.weight.momentum');
  assert.throws(() => both(parameters()).loadState(saved), {
    code: 'checkpoint',
    message: /b\.weight\.momentum of shape \[4,6\], came nothing/,
  });
  saved.set('b.weight.momentum', ops.zeros([4, 6]));
  saved.set('d.weight.momentum', ops.zeros([4, 6]));
  assert.throws(() => both(parameters()).loadState(saved), { message: /d\.weight\.momentum/ });
});

test('clipping scales all gradients by one factor and reports the norm before', () => {
  const all = parameters();
  setGradients(all, 1);
  const before = [...all.values()].flatMap((p) => p.grad?.toNumbers() ?? []);
  const norm = Math.hypot(...before);
  const whole = clipGradNorm(all, 1e9);
  assert.ok(Math.abs(whole.all - norm) < 1e-9);
  for (const [name, { grad }] of all) {
    assert.ok(
      Math.abs((whole.each.get(name) ?? 0) - Math.hypot(...(grad?.toNumbers() ?? []))) < 1e-6,
    );
  }
  assert.ok(Math.abs(clipGradNorm(all, 0.5).all - norm) < 1e-9);
  const after = [...all.values()].flatMap((p) => p.grad?.toNumbers() ?? []);
  const expected = before.map((g) => (g * 0.5) / norm);
  assert.ok(maxDifference(after, expected) < 1e-6);
  (all.get('c.bias') as Tensor).grad = fromArray(Float64Array.of(1, Number.NaN, 1), [3]);
  assert.ok(Number.isNaN(clipGradNorm(all, 0.5).all));
  zeroGradients(all.values());
  assert.equal(clipGradNorm(all, 0.5).all, 0);
});

test('parameters without a gradient stay as they are; steps leak nothing', () => {
  const all = parameters();
  const optimizer = both(all);
  const before = (all.get('a.weight') as Tensor).toNumbers();
  optimizer.step(0.1);
  assert.deepEqual((all.get('a.weight') as Tensor).toNumbers(), before);
  const step = (): void =>
    tidy(() => {
      setGradients(all, 1);
      optimizer.step(0.01);
      zeroGradients(all.values());
    });
  step();
  const { numTensors, sizeBytes } = memory();
  for (let i = 0; i < 50; i++) step();
  assert.deepEqual(memory(), { numTensors, sizeBytes });
});

test('cosine schedule: linear up, half a cosine down, the end at the minimum', () => {
  const schedule = { peak: 1, min: 0.1, warmupSteps: 4, totalSteps: 20 };
  const lrs = Array.from({ length: 20 }, (_, step) => cosineLr(step, schedule));
  assert.deepEqual(lrs.slice(0, 4), [0.25, 0.5, 0.75, 1]);
  assert.ok(Math.abs((lrs[11] as number) - 0.55) < 1e-12);
  assert.ok(Math.abs((lrs[19] as number) - 0.1) < 1e-12);
  assert.equal(cosineLr(1000, schedule), lrs[19]);
  assert.ok(lrs.slice(3).every((lr, i, all) => i === 0 || lr < (all[i - 1] as number)));
});
