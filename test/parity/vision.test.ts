// Three epsilons, several images and the served slicing: golden/vision.safetensors (make-vision.py).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VisionConfig } from '../../src/model/config.ts';
import { Merger } from '../../src/model/merger.ts';
import { RiceVit } from '../../src/model/rice-vit.ts';
import { Scope } from '../../src/nn/module.ts';
import { type Tensor, tidy } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';
import { maxDifference } from '../support/gradients.ts';

const golden = openSafetensors(new URL('golden/vision.safetensors', import.meta.url).pathname);
const weight = (name: string): Tensor => golden.tensor(`weight/${name}`);
const grids = golden.tensor('grids').toArray() as Int32Array;
const WIDTH = 64;
/** The epsilons of the original's trainer. */
const TRAINED = {
  depth: 2,
  hiddenSize: WIDTH,
  numHeads: 1,
  intermediateSize: 64,
  inChannels: 3,
  patchSize: 2,
  mergeSize: 2,
  layerNormEps: 1e-5,
  preLayerNormEps: 1e-4,
  mergerEps: 1e-6,
};

function features(config: VisionConfig): Tensor {
  return new RiceVit(new Scope(weight), config).forward(golden.tensor('pixels'), grids);
}

/** Rows of one image's patches. */
function imageRows(x: Tensor, image: number): Tensor {
  let start = 0;
  for (let i = 0; i < image; i++) start += (grids[3 * i + 1] ?? 0) * (grids[3 * i + 2] ?? 0);
  const count = (grids[3 * image + 1] ?? 0) * (grids[3 * image + 2] ?? 0);
  return ops.narrow(x, 0, start, count);
}

test('four images with the trained epsilons equal PyTorch; the served ones do not', () => {
  tidy(() => {
    assert.ok(maxDifference(features(TRAINED), golden.tensor('features')) < 1e-5);
    for (const change of [{ preLayerNormEps: 1e-5 }, { layerNormEps: 1e-3 }]) {
      const other = features({ ...TRAINED, ...change });
      assert.ok(maxDifference(other, golden.tensor('features')) > 1e-4);
    }
  });
});

test("the merger's own epsilon", () => {
  const difference = (mergerEps: number): number =>
    tidy(() => {
      const merger = new Merger(
        new Scope((name, shape) => {
          if (name.startsWith('ln_q'))
            return name.endsWith('weight') ? ops.ones(shape) : ops.zeros(shape);
          return shape.length === 2 ? ops.eye(shape[0] ?? 0) : ops.zeros(shape);
        }),
        { ...TRAINED, mergerEps },
        4 * WIDTH,
      );
      return maxDifference(merger.forward(golden.tensor('faint')), golden.tensor('merged'));
    });
  assert.ok(difference(1e-6) < 1e-5);
  assert.ok(difference(1e-5) > 1e-3);
});

test('class rows: right by default, the served fault on demand, from the second image on', () => {
  tidy(() => {
    const right = features(TRAINED);
    const served = features({ ...TRAINED, hfCompatMultiImage: true });
    assert.ok(maxDifference(served, golden.tensor('served')) < 1e-5);
    assert.ok(maxDifference(imageRows(served, 0), imageRows(right, 0)) < 1e-6);
    for (const image of [1, 2, 3]) {
      assert.ok(maxDifference(imageRows(served, image), imageRows(right, image)) > 1e-3);
    }
  });
});
