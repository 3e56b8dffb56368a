// The mixture of experts against a naive loop over rows, its gradients, and what padding does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGradients, maxDifference, randomLeaf } from '../../test/support/gradients.ts';
import { randomSegment, SMALL, smallModel } from '../../test/support/model.ts';
import { freshParameters } from '../nn/init.ts';
import { type ParameterSource, Scope } from '../nn/module.ts';
import { int8Weights } from '../nn/quantise.ts';
import { backward, fromArray, memory, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { makeBatch } from './batch.ts';
import type { ExpertsConfig } from './config.ts';
import { BalanceLoss, Experts, type Routing } from './experts.ts';
import { OneVision } from './onevision.ts';

const CONFIG: ExpertsConfig = {
  numExperts: 5,
  numActive: 2,
  intermediateSize: 8,
  normTopkProb: false,
  auxLossCoef: 0.1,
  denseLayers: [],
};
const WIDTH = 16;

function makeExperts(config: ExpertsConfig): { experts: Experts; weights: Map<string, Tensor> } {
  const experts = new Experts(
    new Scope((name, shape) => randomLeaf(name, shape, 0.5)),
    WIDTH,
    config,
  );
  return { experts, weights: experts.namedParameters() };
}

/** Row by row, expert by expert, in plain numbers. */
function naive(x: Tensor, weights: Map<string, Tensor>, config: ExpertsConfig): number[] {
  const table = (name: string): number[] => weights.get(name)?.toNumbers() ?? [];
  const [router, gateUp, down] = ['gate.weight', 'experts.gate_up_proj', 'experts.down_proj'].map(
    table,
  ) as [number[], number[], number[]];
  const { numExperts, numActive, intermediateSize: inner } = config;
  const dot = (m: number[], offset: number, v: readonly number[]): number =>
    v.reduce((sum, value, i) => sum + value * (m[offset + i] as number), 0);
  const out: number[] = [];
  for (let r = 0; r < (x.shape[0] ?? 0); r++) {
    const row = x.toNumbers().slice(r * WIDTH, (r + 1) * WIDTH);
    const scores = Array.from({ length: numExperts }, (_, e) =>
      Math.exp(dot(router, e * WIDTH, row)),
    );
    const total = scores.reduce((a, b) => a + b, 0);
    const ranked = scores.map((s, e) => [s / total, e] as const).sort(([a], [b]) => b - a);
    const top = ranked.slice(0, numActive);
    const norm = config.normTopkProb ? top.reduce((sum, [p]) => sum + p, 0) : 1;
    const result = new Array<number>(WIDTH).fill(0);
    for (const [p, e] of top) {
      const at = e * 2 * inner * WIDTH;
      const hidden = Array.from({ length: inner }, (_, i) => {
        const gate = dot(gateUp, at + i * WIDTH, row);
        return (gate / (1 + Math.exp(-gate))) * dot(gateUp, at + (inner + i) * WIDTH, row);
      });
      for (let i = 0; i < WIDTH; i++) {
        result[i] = (result[i] as number) + (p / norm) * dot(down, (e * WIDTH + i) * inner, hidden);
      }
    }
    out.push(...result);
  }
  return out;
}

test('experts equal a loop over rows, with shares that sum to 1 and without', () => {
  for (const normTopkProb of [false, true]) {
    tidy(() => {
      const config = { ...CONFIG, normTopkProb };
      const { experts, weights } = makeExperts(config);
      const x = randomLeaf('x', [7, WIDTH]);
      assert.ok(maxDifference(experts.forward(x), naive(x, weights, config)) < 1e-12);
      assert.deepEqual(experts.forward(ops.narrow(x, 0, 0, 0)).shape, [0, WIDTH]);
    });
  }
});

test('gradients of experts, router and loss of balance by central differences', () => {
  tidy(() => {
    const { experts, weights } = makeExperts(CONFIG);
    const x = randomLeaf('x', [9, WIDTH]);
    const target = randomLeaf('target', [9, WIDTH]);
    const loss = (): Tensor => {
      const balance = new BalanceLoss(CONFIG, Int32Array.of(0, 1, 2, 4, 8), 'cpu');
      const out = experts.forward(x, (routing) => balance.add(routing));
      return ops.add(ops.sum(ops.mul(out, target)), balance.finish() as Tensor);
    };
    checkGradients({ x, ...Object.fromEntries(weights) }, loss, { tolerance: 1e-5 });
  });
});

test('the loss of balance counts the rows given, over all layers', () => {
  tidy(() => {
    const layers = [
      { p: [0.5, 0.3, 0.2, 0, 0, 0.6, 0.3, 0.1, 0, 0, 0, 0, 0, 0.5, 0.5], e: [0, 1, 0, 1, 4, 3] },
      { p: [0, 0, 0, 0.4, 0.6, 0.1, 0.2, 0.3, 0.2, 0.2, 1, 0, 0, 0, 0], e: [4, 3, 2, 1, 0, 1] },
    ];
    const balance = new BalanceLoss(CONFIG, Int32Array.of(0, 2), 'cpu');
    for (const { p, e } of layers) {
      balance.add({
        probabilities: fromArray(p, [3, 5], { dtype: 'float64' }),
        chosen: fromArray(e, [3, 2], { dtype: 'int64' }),
        weights: ops.ones([3, 2]),
      } satisfies Routing);
    }
    // Rows 0 and 2 of two layers are four decisions: shares and mean probabilities of each expert.
    const share = [2 / 4, 2 / 4, 0, 2 / 4, 2 / 4];
    const mean = [1.5 / 4, 0.3 / 4, 0.2 / 4, 0.9 / 4, 1.1 / 4];
    const expected = 5 * share.reduce((sum, f, e) => sum + f * (mean[e] ?? 0), 0);
    assert.ok(Math.abs((balance.finish()?.item() ?? 0) - expected) < 1e-12);
  });
});

test('a model of experts: packed equals unpacked, no leak, no loss of balance at coefficient 0', () => {
  const experts = { ...CONFIG, intermediateSize: 16, denseLayers: [0] };
  const config = { ...SMALL, text: { ...SMALL.text, experts } };
  using model = smallModel({ config });
  model.setRequiresGrad(true);
  const segments = [randomSegment('a', 12), randomSegment('b', 11), randomSegment('c', 4, [])];
  const logits = (of: typeof segments): number[] =>
    tidy(() => noGrad(() => model.logits(model.features(makeBatch(of))).toNumbers()));
  const alone = segments.flatMap((segment) => logits([segment]));
  assert.ok(maxDifference(logits(segments), alone) < 1e-5);
  const step = (): void =>
    tidy(() => {
      const { balance, lossSum } = model.loss(makeBatch(segments));
      assert.ok((balance?.item() ?? 0) > 1);
      backward(lossSum);
      for (const parameter of model.namedParameters().values()) parameter.grad = null;
    });
  step();
  const before = memory();
  for (let i = 0; i < 20; i++) step();
  assert.deepEqual(memory(), before);
  const off = { ...config, text: { ...config.text, experts: { ...experts, auxLossCoef: 0 } } };
  using dense = smallModel({ config: off });
  assert.equal(
    tidy(() => dense.loss(makeBatch(segments)).balance),
    null,
  );
});

test('int8 layers, experts and tied head: the answer of a model with those weights written out', () => {
  const experts = { ...CONFIG, intermediateSize: 16 };
  const config = { ...SMALL, text: { ...SMALL.text, experts, tieEmbeddings: true } };
  const fresh = (): ParameterSource => freshParameters({ seed: 1, std: 0.2 });
  using plain = new OneVision(config, fresh());
  using small = new OneVision(config, int8Weights(fresh(), { tiedHead: true }));
  const bytes = small.namedParameters();
  using written = new OneVision(config, (name) => {
    const [weight, scale] = [bytes.get(name) as Tensor, bytes.get(`${name}_scale`)];
    return scale === undefined ? ops.clone(weight) : ops.mul(weight, ops.unsqueeze(scale, -1));
  });
  for (const name of ['embed_tokens.weight', 'layers.0.mlp.experts.down_proj']) {
    assert.equal(bytes.get(`model.${name}`)?.dtype, 'int8');
  }
  for (const name of ['layers.0.mlp.gate.weight', 'norm.weight']) {
    assert.equal(bytes.get(`model.${name}`)?.dtype, small.dtype);
  }
  const batch = makeBatch([randomSegment('int8', 9)]);
  const [a = [], b = [], c = []] = [plain, small, written].map((model) =>
    tidy(() => noGrad(() => model.logits(model.features(batch)).toNumbers())),
  );
  const largest = Math.max(...c.map(Math.abs));
  assert.ok(maxDifference(fromArray(b, [b.length]), c) < 1e-5 * largest);
  const dot = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  assert.ok(dot / (Math.hypot(...a) * Math.hypot(...b)) > 0.99);
});

test('recomputation in a model of experts: loss of balance and gradients to the bit, no leak', () => {
  const experts = { ...CONFIG, intermediateSize: 16, denseLayers: [0] };
  const config = { ...SMALL, text: { ...SMALL.text, experts } };
  using model = smallModel({ config });
  model.setRequiresGrad(true);
  const batch = makeBatch([randomSegment('a', 12), randomSegment('b', 11)]);
  const run = (language: 'none' | 'selective' | 'full'): (number | number[] | undefined)[] =>
    tidy(() => {
      const { balance, lossSum } = model.loss(batch, { recompute: { language } });
      backward(lossSum);
      const parameters = [...model.namedParameters().values()];
      const grads = parameters.map((parameter) => parameter.grad?.toNumbers());
      for (const parameter of parameters) parameter.grad = null;
      return [lossSum.item(), balance?.item(), ...grads];
    });
  const plain = run('none');
  run('full');
  const before = memory();
  assert.ok(JSON.stringify(run('selective')) === JSON.stringify(plain));
  assert.ok(JSON.stringify(run('full')) === JSON.stringify(plain));
  assert.deepEqual(memory(), before);
});
