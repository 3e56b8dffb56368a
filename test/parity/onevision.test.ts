// The whole model against PyTorch: golden/onevision.safetensors, made by make-onevision.py.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../src/model/batch.ts';
import { OneVision } from '../../src/model/onevision.ts';
import { RiceVit } from '../../src/model/rice-vit.ts';
import { Scope } from '../../src/nn/module.ts';
import { backward, type Tensor, tidy } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';
import { maxDifference } from '../support/gradients.ts';
import { SMALL } from '../support/model.ts';

const golden = openSafetensors(new URL('golden/onevision.safetensors', import.meta.url).pathname);
const weight = (name: string): Tensor => ops.clone(golden.tensor(`weight/${name}`));
const ints = (name: string): Int32Array => golden.tensor(name).toArray() as Int32Array;

function goldenBatch(): Batch {
  const bounds = [0];
  const positions: number[] = [];
  for (const length of ints('lengths')) {
    bounds.push((bounds.at(-1) ?? 0) + length);
    for (let i = 0; i < length; i++) positions.push(i);
  }
  return {
    inputIds: ints('input_ids'),
    targets: ints('targets'),
    positions: Int32Array.from(positions),
    cuSeqlens: Int32Array.from(bounds),
    pixels: golden.tensor('pixels').toArray() as Float32Array,
    grids: ints('grids'),
  };
}

test('vision tower equals MLCDVisionModel, several images of several sizes', () => {
  tidy(() => {
    const batch = goldenBatch();
    const tower = new RiceVit(new Scope(weight).child('visual'), SMALL.vision);
    const features = tower.forward(golden.tensor('pixels'), batch.grids);
    assert.ok(maxDifference(features, golden.tensor('features')) < 1e-5);
  });
});

test('logits, loss and every gradient equal Qwen3ForCausalLM with images written in', () => {
  tidy(() => {
    const model = new OneVision(SMALL, weight);
    model.setRequiresGrad(true);
    const batch = goldenBatch();
    const logits = model.logits(model.features(batch));
    assert.ok(maxDifference(logits, golden.tensor('logits')) < 1e-5);
    const { lossSum } = model.loss(batch);
    assert.ok(Math.abs(lossSum.item() - golden.tensor('loss').item()) < 1e-4);
    backward(lossSum);
    const names = golden.names.filter((name) => name.startsWith('grad/'));
    assert.equal(names.length, model.namedParameters().size);
    for (const [name, parameter] of model.namedParameters()) {
      const expected = golden.tensor(`grad/${name}`).toNumbers();
      const largest = Math.max(1, ...expected.map(Math.abs));
      const { grad } = parameter;
      assert.ok(grad !== null, name);
      assert.ok(maxDifference(grad, expected) / largest < 1e-5, name);
    }
  });
});
