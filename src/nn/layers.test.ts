// Every differentiable layer against central differences in float64.
import { test } from 'node:test';
import { checkGradients, project, randomLeaf } from '../../test/support/gradients.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';
import { varlenAttention } from './attention.ts';
import { freshParameters } from './init.ts';
import { Embedding, Linear } from './linear.ts';
import { crossEntropySum } from './loss.ts';
import { GeluMlp, SwiGlu } from './mlp.ts';
import { type Module, Scope } from './module.ts';
import { LayerNorm, RmsNorm } from './norm.ts';
import { applyRope, ropeTable } from './rope.ts';
import { cumulativeLengths, planSegments } from './segments.ts';

function scope(): Scope {
  return new Scope(freshParameters({ seed: 3, std: 0.7, dtype: 'float64' }));
}

function checkModule(module: Module & { forward(x: Tensor): Tensor }, x: Tensor): void {
  module.setRequiresGrad(true);
  const inputs = { ...Object.fromEntries(module.namedParameters()), x };
  checkGradients(inputs, () => project(module.forward(x)));
}

test('Linear', () => {
  checkModule(new Linear(scope(), 5, 7, { bias: true }), randomLeaf('linear', [4, 5]));
});

test('LayerNorm', () => checkModule(new LayerNorm(scope(), 6, 1e-5), randomLeaf('ln', [5, 6])));

test('RmsNorm, also over heads and with rows near zero', () => {
  checkModule(new RmsNorm(scope(), 6, 1e-6), randomLeaf('rms', [5, 6]));
  checkModule(new RmsNorm(scope(), 6, 1e-6), randomLeaf('heads', [3, 2, 6]));
  checkModule(new RmsNorm(scope(), 6, 1e-2), randomLeaf('faint', [5, 6], 0.05));
});

test('GeluMlp and SwiGlu', () => {
  checkModule(new GeluMlp(scope(), 5, 9), randomLeaf('gelu', [4, 5]));
  checkModule(new SwiGlu(scope(), 5, 9), randomLeaf('swiglu', [4, 5]));
});

test('Embedding, with a repeated id', () => {
  const embedding = new Embedding(scope(), 6, 4);
  embedding.setRequiresGrad(true);
  const ids = fromArray(Int32Array.of(1, 5, 1, 0), [4]);
  checkGradients({ weight: embedding.weight }, () => project(embedding.forward(ids)));
});

test('rotary embedding, learned angles included', () => {
  const x = randomLeaf('rope x', [4, 3, 8]);
  const angles = randomLeaf('rope angles', [4, 4]);
  checkGradients({ x, angles }, () => project(applyRope(x, ropeTable(angles))));
});

for (const { name, lengths, causal, heads, kvHeads } of [
  { name: 'full, one length', lengths: [3, 3], causal: false, heads: 2, kvHeads: 2 },
  { name: 'full, several lengths', lengths: [3, 5, 3, 1], causal: false, heads: 2, kvHeads: 2 },
  { name: 'causal, padded groups', lengths: [3, 5, 4, 1], causal: true, heads: 2, kvHeads: 2 },
  { name: 'causal, grouped queries', lengths: [3, 5], causal: true, heads: 4, kvHeads: 2 },
  { name: 'causal, long', lengths: [200], causal: true, heads: 4, kvHeads: 2 },
  { name: 'full, long', lengths: [200, 3], causal: false, heads: 2, kvHeads: 2 },
]) {
  test(`attention: ${name}`, () => {
    const plan = planSegments(cumulativeLengths(lengths), { groupCost: causal ? 4 : 0 });
    const layout = { causal, groups: plan.groups };
    const q = randomLeaf('q', [plan.numRows, heads, 4]);
    const k = randomLeaf('k', [plan.numRows, kvHeads, 4]);
    const v = randomLeaf('v', [plan.numRows, kvHeads, 4]);
    checkGradients({ q, k, v }, () => project(varlenAttention(q, k, v, layout)));
  });
}

test('cross entropy, plain and weighted', () => {
  const logits = randomLeaf('logits', [5, 7]);
  const targets = fromArray(BigInt64Array.of(0n, 6n, 3n, 3n, 1n), [5]);
  const weights = fromArray(Float64Array.of(1, 0.5, 2, 0, 1), [5]);
  checkGradients({ logits }, () => crossEntropySum(logits, targets));
  checkGradients({ logits }, () => crossEntropySum(logits, targets, weights));
});
