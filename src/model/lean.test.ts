// Memory savers change nothing: recomputed forwards give the gradients of the plain one to the bit,
// chunked logits the plain loss.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxDifference } from '../../test/support/gradients.ts';
import { randomSegment, SMALL, smallModel } from '../../test/support/model.ts';
import { backward, type DType, memory, noGrad, tidy } from '../tensor/index.ts';
import { makeBatch } from './batch.ts';
import type { LossOptions, OneVision } from './onevision.ts';

const BATCHES = [
  makeBatch([randomSegment('a', 12, [[2, 4]]), randomSegment('b', 9, []), randomSegment('c', 7)]),
  makeBatch([
    randomSegment('d', 20, [
      [4, 4],
      [2, 2],
    ]),
  ]),
];

/** Loss and all gradients, accumulated over two batches. */
function gradientsOf(
  model: OneVision,
  options: LossOptions,
  matmul: DType | null = null,
): { readonly losses: number[]; readonly grads: Map<string, number[] | undefined> } {
  const losses = BATCHES.map((batch) =>
    model.multiplyIn(matmul, () =>
      tidy(() => {
        const { lossSum } = model.loss(batch, options);
        backward(lossSum);
        return lossSum.item();
      }),
    ),
  );
  const grads = new Map(
    [...model.namedParameters()].map(([name, p]) => [name, tidy(() => p.grad?.toNumbers())]),
  );
  for (const parameter of model.namedParameters().values()) parameter.grad = null;
  return { losses, grads };
}

type Gradients = ReturnType<typeof gradientsOf>;

/** Equal to the bit; a difference is named, not drawn. */
function assertEqual(actual: Gradients, expected: Gradients): void {
  assert.deepEqual(actual.losses, expected.losses);
  const other = [...expected.grads].filter(
    ([name, grad]) => JSON.stringify(actual.grads.get(name)) !== JSON.stringify(grad),
  );
  assert.deepEqual(
    other.map(([name]) => name),
    [],
  );
}

const MODES: readonly (readonly [string, LossOptions['recompute']])[] = [
  ['full', { vision: 'full', language: 'full' }],
  ['selective', { vision: 'selective', language: 'selective' }],
  ['by block', { vision: ['none', 'full'], language: ['selective', 'full'] }],
];
for (const [name, recompute] of MODES) {
  test(`${name} recomputation: loss and gradients equal to the bit`, () => {
    const tied = { ...SMALL, text: { ...SMALL.text, tieEmbeddings: true } };
    for (const config of [SMALL, tied]) {
      for (const matmul of [null, 'bfloat16'] as const) {
        using model = smallModel({ config });
        model.setRequiresGrad(true);
        const plain = gradientsOf(model, {}, matmul);
        assertEqual(gradientsOf(model, { recompute }, matmul), plain);
      }
    }
    using half = smallModel({ dtype: 'bfloat16' });
    half.setRequiresGrad(true);
    assertEqual(gradientsOf(half, { recompute }), gradientsOf(half, {}));
  });

  test(`${name} recomputation: frozen parts, no graph where nothing learns, no leak`, () => {
    using model = smallModel();
    for (const [parameter, tensor] of model.namedParameters()) {
      tensor.requiresGrad = parameter.startsWith('visual.merger');
    }
    const plain = gradientsOf(model, {});
    assertEqual(gradientsOf(model, { recompute }), plain);
    const before = memory();
    for (let i = 0; i < 5; i += 1) gradientsOf(model, { recompute });
    assert.deepEqual(memory(), before);
    model.setRequiresGrad(false);
    tidy(() => assert.ok(!model.loss(BATCHES[0] as never, { recompute }).lossSum.requiresGrad));
    // A graph that never runs backward is freed with its tensors.
    model.setRequiresGrad(true);
    for (let i = 0; i < 5; i += 1) {
      tidy(() => void model.loss(BATCHES[0] as never, { recompute }));
    }
    assert.deepEqual(memory(), before);
  });
}

test('chunked logits: the plain loss and its gradients', () => {
  for (const dtype of ['float64', 'float32', 'bfloat16'] as const) {
    using model = smallModel({ dtype });
    model.setRequiresGrad(true);
    const plain = gradientsOf(model, {});
    const [losses, scale] = [plain.losses, Math.max(...plain.losses)];
    for (const chunkRows of [1, 3, 5]) {
      const chunked = gradientsOf(model, { chunkRows });
      const tolerance = { float64: 1e-13, float32: 1e-6, bfloat16: 1e-2 }[dtype];
      assert.ok(maxDifference(chunked.losses, losses) < tolerance * scale, dtype);
      for (const [name, grad] of plain.grads) {
        const largest = Math.max(...(grad ?? []).map(Math.abs));
        const difference = maxDifference(chunked.grads.get(name) ?? [], grad ?? []);
        assert.ok(difference <= 20 * tolerance * Math.max(largest, 0.1), `${name} ${difference}`);
      }
    }
  }
});

test('chunked logits: losses of single tokens, weights, no gradient without a graph', () => {
  using model = smallModel();
  const [batch] = BATCHES;
  assert.ok(batch !== undefined);
  const lossWeights = batch.targets.map((_, i) => 1 + (i % 3));
  const weighted = { ...batch, lossWeights: Float32Array.from(lossWeights) };
  tidy(() =>
    noGrad(() => {
      const [plain, chunked] = [{}, { chunkRows: 2 }].map((o) => model.loss(weighted, o));
      assert.ok(plain !== undefined && chunked !== undefined);
      assert.ok(maxDifference(chunked.losses, plain.losses) < 2e-6);
      assert.equal(chunked.weight, plain.weight);
      assert.ok(Math.abs(chunked.lossSum.item() / plain.lossSum.item() - 1) < 1e-6);
      assert.ok(!chunked.lossSum.requiresGrad);
    }),
  );
});
