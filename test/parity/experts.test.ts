// The mixture of experts against PyTorch: golden/experts.safetensors, made by make-experts.py.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBatch } from '../../src/model/batch.ts';
import { OneVision } from '../../src/model/onevision.ts';
import { freshParameters } from '../../src/nn/init.ts';
import type { ParameterSource } from '../../src/nn/module.ts';
import { backward, type DType, tidy } from '../../src/tensor/index.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';
import { maxDifference } from '../support/gradients.ts';
import { SMALL } from '../support/model.ts';

const golden = openSafetensors(new URL('golden/experts.safetensors', import.meta.url).pathname);
const CONFIG = {
  ...SMALL,
  text: {
    ...SMALL.text,
    numLayers: 3,
    experts: {
      numExperts: 6,
      numActive: 2,
      intermediateSize: 16,
      normTopkProb: true,
      auxLossCoef: 0.1,
      denseLayers: [1],
    },
  },
};

/** The golden decoder beside a vision side of random weights that nothing here uses. */
function openModel(dtype: DType): OneVision {
  const fresh = freshParameters({ seed: 1, dtype });
  const source: ParameterSource = (name, shape, init) =>
    name.startsWith('visual.')
      ? fresh(name, shape, init)
      : golden.tensor(`weight/${name}`, { dtype, mapped: false });
  return new OneVision(CONFIG, source);
}

// float32 takes ATen's grouped product, float64 the loop over experts: two paths, one answer.
for (const dtype of ['float32', 'float64'] as const) {
  test(`${dtype}: logits, losses and every gradient equal Qwen3MoeForCausalLM`, () => {
    tidy(() => {
      const model = openModel(dtype);
      model.setRequiresGrad(true);
      const ints = (name: string): Int32Array => golden.tensor(name).toArray() as Int32Array;
      const inputIds = ints('input_ids');
      const batch = makeBatch([{ inputIds, targets: ints('targets'), images: [] }]);
      const logits = model.logits(model.features(batch));
      assert.ok(maxDifference(logits, golden.tensor('logits')) < 1e-5);
      const { lossSum, balance, weight } = model.loss(batch);
      assert.ok(balance !== null);
      assert.ok(Math.abs(balance.item() - golden.tensor('balance').item()) < 1e-5);
      assert.ok(Math.abs(lossSum.item() / weight - golden.tensor('loss').item()) < 1e-5);
      backward(lossSum);
      for (const [name, parameter] of model.namedParameters()) {
        if (name.startsWith('visual.')) continue;
        const { grad } = parameter;
        assert.ok(grad !== null, name);
        const mean = grad.toNumbers().map((value) => value / weight);
        const expected = golden.tensor(`grad/${name}`).toNumbers();
        const largest = Math.max(1, ...expected.map(Math.abs));
        assert.ok(maxDifference(mean, expected) / largest < 1e-5, name);
      }
    });
  });
}
