// Adapters on the whole model: no change at first, merged = applied, gradients, names, memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGradients, maxDifference } from '../../test/support/gradients.ts';
import { randomSegment, smallModel } from '../../test/support/model.ts';
import { createRandom } from '../core/hash.ts';
import { Lora } from '../nn/lora.ts';
import { backward, fromArray, memory, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { makeBatch } from './batch.ts';
import type { OneVision } from './onevision.ts';

const BATCH = makeBatch([randomSegment('lora a', 12), randomSegment('lora b', 8, [])]);

function attach(model: OneVision, rank = 3): Lora {
  const layers = new Map([...model.linears()].filter(([name]) => name !== 'lm_head.weight'));
  return new Lora(layers, { rank, alpha: 6, seed: 4 });
}

/** Gives every `up` something to say. */
function disturb(lora: Lora): void {
  for (const [name, tensor] of lora.parameters()) {
    const random = createRandom('disturb', name);
    const values = Array.from({ length: tensor.numel }, () => 0.1 * random.normal());
    noGrad(() => ops.add_(tensor, fromArray(values, tensor.shape, { dtype: tensor.dtype })));
  }
}

const features = (model: OneVision): Tensor => tidy(() => noGrad(() => model.features(BATCH)));

test('adapters change nothing at first, and merged weights equal applied adapters', () => {
  for (const dtype of ['float64', 'float32'] as const) {
    using model = smallModel({ dtype });
    const plain = features(model);
    const lora = attach(model);
    assert.equal(maxDifference(features(model), plain), 0);
    disturb(lora);
    const applied = features(model);
    assert.ok(maxDifference(applied, plain) > 0.1);
    lora.merge();
    assert.ok(maxDifference(features(model), applied) < 2e-4 * (dtype === 'float64' ? 0.1 : 1));
    assert.equal(lora.parameters().size, 0);
  }
});

test('only the adapters learn: their gradients are right, frozen weights have none', () => {
  using model = smallModel({ dtype: 'float64' });
  model.setRequiresGrad(false);
  const lora = attach(model, 2);
  disturb(lora);
  const parameters = lora.parameters();
  for (const tensor of parameters.values()) tensor.requiresGrad = true;
  const chosen = [...parameters].filter((_, i) => i % 9 === 0);
  checkGradients(Object.fromEntries(chosen), () => model.loss(BATCH).lossSum, { tolerance: 1e-5 });
  tidy(() => backward(model.loss(BATCH).lossSum));
  for (const [name, tensor] of model.namedParameters()) assert.equal(tensor.grad, null, name);
  for (const [name, tensor] of parameters) assert.ok(tensor.grad !== null, name);
  const plain = [...parameters.values()].map((p) => p.grad?.toNumbers());
  for (const tensor of parameters.values()) tensor.grad = null;
  const recompute = { vision: 'selective', language: 'full' } as const;
  tidy(() => backward(model.loss(BATCH, { recompute }).lossSum));
  const again = [...parameters.values()].map((p) => p.grad?.toNumbers());
  assert.equal(JSON.stringify(again), JSON.stringify(plain));
});

test('names, sizes, and nothing left behind', () => {
  using model = smallModel();
  const before = memory();
  const lora = attach(model, 3);
  const parameters = lora.parameters();
  assert.equal(parameters.size, 2 * (model.linears().size - 1));
  const down = parameters.get('model.layers.0.mlp.down_proj.lora_A.weight');
  const up = parameters.get('model.layers.0.mlp.down_proj.lora_B.weight');
  assert.deepEqual(
    [down?.shape, up?.shape],
    [
      [3, 32],
      [24, 3],
    ],
  );
  lora[Symbol.dispose]();
  assert.deepEqual(memory(), before);
});
