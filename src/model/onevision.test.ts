// The model as a whole: walls between segments, equal losses however batches are cut, gradients,
// memory, shapes of the released sizes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGradients, maxDifference } from '../../test/support/gradients.ts';
import { randomSegment, SMALL, smallModel } from '../../test/support/model.ts';
import { backward, gradients, memory, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { makeBatch, type Segment } from './batch.ts';
import { OneVision } from './onevision.ts';
import { ONEVISION_4B, ONEVISION_8B, tinyConfig } from './presets.ts';
import { planWithClassTokens } from './rice-vit.ts';

const SEGMENTS = [
  randomSegment('a', 12, [[2, 4]]),
  randomSegment('b', 5, []),
  randomSegment('c', 20, [
    [4, 4],
    [2, 2],
    [2, 4],
  ]),
  randomSegment('d', 12, [[2, 4]]),
  randomSegment('e', 9, [[2, 2]]),
];

function lossAndGradients(
  model: OneVision,
  batches: readonly (readonly Segment[])[],
): { loss: number; grads: Map<string, number[]> } {
  return tidy(() => {
    let loss = 0;
    for (const segments of batches) {
      const { lossSum } = model.loss(makeBatch(segments));
      loss += lossSum.item();
      backward(lossSum);
    }
    const grads = new Map<string, number[]>();
    for (const [name, parameter] of model.namedParameters()) {
      grads.set(name, parameter.grad?.toNumbers() ?? []);
      parameter.grad = null;
    }
    return { loss, grads };
  });
}

test('packed equals unpacked: logits, loss and gradients; micro-batches equal one batch', () => {
  using model = smallModel();
  model.setRequiresGrad(true);
  const packed = tidy(() => noGrad(() => model.logits(model.features(makeBatch(SEGMENTS)))));
  const alone = SEGMENTS.flatMap((segment) =>
    tidy(() => noGrad(() => model.logits(model.features(makeBatch([segment]))).toNumbers())),
  );
  assert.ok(maxDifference(packed, alone) < 1e-5);
  const whole = lossAndGradients(model, [SEGMENTS]);
  for (const batches of [
    SEGMENTS.map((segment) => [segment]),
    [SEGMENTS.slice(0, 2), SEGMENTS.slice(2)],
    [[...SEGMENTS].reverse()],
  ]) {
    const parts = lossAndGradients(model, batches);
    assert.ok(Math.abs(parts.loss - whole.loss) / whole.loss < 1e-5);
    for (const [name, grad] of whole.grads) {
      const largest = Math.max(1, ...grad.map(Math.abs));
      assert.ok(maxDifference(parts.grads.get(name) ?? [], grad) / largest < 1e-5, name);
    }
  }
});

test('changing one segment leaves the others equal to the bit', () => {
  using model = smallModel();
  const run = (segments: readonly Segment[]): number[] =>
    tidy(() => noGrad(() => model.features(makeBatch(segments)).toNumbers()));
  const before = run(SEGMENTS);
  const [a, , c] = SEGMENTS;
  assert.ok(a !== undefined && c !== undefined);
  const changed = {
    ...c,
    images: c.images.map((image) => ({ ...image, pixels: image.pixels.map((x) => x + 1) })),
    inputIds: c.inputIds.map((id) => (id >= 7 ? 46 - id : id)),
  };
  const after = run(SEGMENTS.map((segment) => (segment === c ? changed : segment)));
  const width = SMALL.text.hiddenSize;
  const start = SEGMENTS.slice(0, 2).reduce((n, s) => n + s.inputIds.length, 0) * width;
  const end = start + c.inputIds.length * width;
  assert.deepEqual(after.slice(0, start), before.slice(0, start));
  assert.deepEqual(after.slice(end), before.slice(end));
  assert.notDeepEqual(after.slice(start, end), before.slice(start, end));
});

test('a token sees what came before it and nothing after', () => {
  using model = smallModel();
  const segment = randomSegment('causal', 12);
  const later = { ...segment, inputIds: segment.inputIds.with(-1, 39).with(-2, 38) };
  const [before, after] = [segment, later].map((s) =>
    tidy(() => noGrad(() => model.features(makeBatch([s])).toNumbers())),
  );
  const kept = (segment.inputIds.length - 2) * SMALL.text.hiddenSize;
  assert.deepEqual(after?.slice(0, kept), before?.slice(0, kept));
});

test('class tokens: one for each frame, none in the output, whatever the sizes', () => {
  const grids = Int32Array.of(1, 2, 2, 2, 2, 4, 1, 2, 2);
  const { plan, sourceOfRow, rowOfPatch } = planWithClassTokens(grids);
  assert.equal(plan.numRows, 4 + 16 + 4 + 4);
  assert.equal(sourceOfRow.filter((source) => source === 0).length, 4);
  assert.deepEqual(
    plan.groups.map((group) => [group.count, group.length]),
    [
      [2, 5],
      [2, 9],
    ],
  );
  for (const [patch, row] of rowOfPatch.entries()) assert.equal(sourceOfRow[row], patch + 1);
  for (const group of plan.groups) {
    for (let i = 0; i < group.count; i++) {
      assert.equal(sourceOfRow[group.offset + i * group.length], 0);
    }
  }
});

test('several images: each is seen as if it were alone (the fault of the served original)', () => {
  using model = smallModel();
  const one = randomSegment('one', 3, [[2, 4]]);
  const two = randomSegment('two', 3, [[4, 4]]);
  const embedded = (segments: readonly Segment[]): number[] =>
    tidy(() =>
      noGrad(() => {
        const batch = makeBatch(segments);
        const layout = model.layoutRows(batch);
        const rows = model.embed(batch, layout).toNumbers();
        const width = SMALL.text.hiddenSize;
        return [...layout.rowOfToken].flatMap((row) => rows.slice(row * width, (row + 1) * width));
      }),
    );
  const apart = [...embedded([one]), ...embedded([two])];
  assert.ok(maxDifference(embedded([one, two]), apart) < 1e-5);
});

test('central differences over the whole model in float64', () => {
  using model = smallModel({ dtype: 'float64' });
  model.setRequiresGrad(true);
  const weighted = SEGMENTS.slice(0, 3).map((segment) => ({
    ...segment,
    lossWeights: Float32Array.from(segment.targets, (_, i) => 0.5 + (i % 3)),
  }));
  const batch = makeBatch(weighted);
  const inputs = Object.fromEntries(model.namedParameters());
  checkGradients(inputs, () => model.loss(batch).lossSum, { tolerance: 1e-5 });
});

test('weights of the loss: sum, weight and unweighted losses agree', () => {
  using model = smallModel();
  const segment = randomSegment('weights', 12);
  const lossWeights = Float32Array.from(segment.targets, (_, i) => (i % 2 === 0 ? 2 : 0));
  tidy(() => {
    const plain = model.loss(makeBatch([segment]));
    assert.equal(plain.weight, plain.numTargets);
    const { lossSum, losses, weight, numTargets } = model.loss(
      makeBatch([{ ...segment, lossWeights }]),
    );
    assert.equal(numTargets, plain.numTargets);
    assert.deepEqual(losses.toNumbers(), plain.losses.toNumbers());
    const chosen = [...lossWeights].filter((_, i) => segment.targets[i] !== -100);
    assert.equal(
      weight,
      chosen.reduce((a, b) => a + b, 0),
    );
    const expected = losses.toNumbers().reduce((sum, l, i) => sum + l * (chosen[i] ?? 0), 0);
    assert.ok(Math.abs(lossSum.item() - expected) < 1e-3);
  });
});

test('text only, targets nowhere: a loss of zero that backward takes', () => {
  using model = smallModel();
  model.setRequiresGrad(true);
  tidy(() => {
    const { inputIds } = randomSegment('silent', 6, []);
    const { lossSum, numTargets } = model.loss(makeBatch([{ inputIds, images: [] }]));
    assert.equal(numTargets, 0);
    assert.equal(lossSum.item(), 0);
    backward(lossSum);
  });
});

test('a frozen part builds no graph and collects no gradient', () => {
  using model = smallModel();
  for (const [name, parameter] of model.namedParameters()) {
    parameter.requiresGrad = name.startsWith('visual.merger.');
  }
  const { grads } = lossAndGradients(model, [SEGMENTS]);
  for (const [name, grad] of grads) {
    assert.equal(grad.length > 0, name.startsWith('visual.merger.'), name);
  }
});

test('no tensor leaks over 200 steps', () => {
  using model = smallModel();
  model.setRequiresGrad(true);
  const parameters = [...model.namedParameters().values()];
  const batch = makeBatch(SEGMENTS);
  const step = (): void =>
    tidy(() => {
      const grads = gradients(model.loss(batch).lossSum, parameters);
      noGrad(() => {
        for (const [i, grad] of grads.entries()) {
          if (grad !== null) ops.sub_(parameters[i] as Tensor, grad, { alpha: 1e-4 });
        }
      });
    });
  step();
  const before = memory();
  for (let i = 0; i < 200; i++) step();
  assert.deepEqual(memory(), before);
});

test('tied head: no parameter of its own, gradients from both uses', () => {
  const config = { ...SMALL, text: { ...SMALL.text, tieEmbeddings: true } };
  using model = smallModel({ config, dtype: 'float64' });
  assert.ok(!model.namedParameters().has('lm_head.weight'));
  model.setRequiresGrad(true);
  const table = model.namedParameters().get('model.embed_tokens.weight') as Tensor;
  const batch = makeBatch(SEGMENTS.slice(0, 2));
  checkGradients({ table }, () => model.loss(batch).lossSum, { tolerance: 1e-5 });
});

test('bfloat16 runs and stays near float32', () => {
  using exact = smallModel();
  using half = smallModel({ dtype: 'bfloat16' });
  const loss = (model: OneVision): number =>
    tidy(() => noGrad(() => model.loss(makeBatch(SEGMENTS)).lossSum.item()));
  assert.equal(half.dtype, 'bfloat16');
  assert.ok(Math.abs(loss(half) - loss(exact)) / loss(exact) < 0.05);
});

test('mixed precision: bfloat16 products, float32 weights, gradients and everything else', () => {
  using model = smallModel();
  model.setRequiresGrad(true);
  const batch = makeBatch(SEGMENTS);
  const norms = ([null, 'bfloat16'] as const).map((matmul) =>
    tidy(() => {
      const lossSum = model.multiplyIn(matmul, () => model.loss(batch).lossSum);
      backward(lossSum);
      const grads: number[] = [];
      for (const parameter of model.namedParameters().values()) {
        assert.equal(parameter.grad?.dtype, 'float32');
        grads.push(...(parameter.grad?.toNumbers() ?? []));
        parameter.grad = null;
      }
      return { loss: lossSum.item(), grads };
    }),
  );
  const [exact, mixed] = norms;
  assert.ok(exact !== undefined && mixed !== undefined && exact.loss !== mixed.loss);
  assert.ok(Math.abs(mixed.loss - exact.loss) / exact.loss < 0.01);
  const dot = exact.grads.reduce((sum, g, i) => sum + g * (mixed.grads[i] ?? 0), 0);
  assert.ok(dot / (Math.hypot(...exact.grads) * Math.hypot(...mixed.grads)) > 0.999);
  const after = tidy(() => model.loss(batch).lossSum.item());
  assert.equal(after, exact.loss);
});

test('batches that contradict themselves are refused by name', () => {
  using model = smallModel();
  const segment = randomSegment('wrong', 6);
  const batch = makeBatch([segment]);
  const run = (change: object): unknown => tidy(() => model.loss({ ...batch, ...change }));
  assert.throws(() => run({ inputIds: batch.inputIds.map((id) => (id === 5 ? 7 : id)) }), {
    code: 'data',
    message: /expected 2 image tokens for the 1 images of the batch, came 0/,
  });
  assert.throws(() => run({ pixels: new Float32Array(12) }), { message: /pixels/ });
  assert.throws(() => run({ positions: new Int32Array(3) }), { message: /positions/ });
  assert.throws(() => run({ cuSeqlens: Int32Array.of(0, 3) }), { message: /cuSeqlens/ });
});

test('released sizes: names, tensors and parameters as published', () => {
  for (const [config, expected] of [
    [ONEVISION_4B, 4_741_610_528],
    [ONEVISION_8B, 8_527_214_624],
  ] as const) {
    using model = new OneVision(config, (_name, shape) => ops.expand(ops.zeros([1]), shape));
    assert.equal(model.namedParameters().size, 698);
    assert.equal(model.numParameters, expected);
  }
});

test('the tiny preset has 2 to 6 million parameters', () => {
  const ids = {
    vocabSize: 2048,
    imageTokenId: 5,
    videoTokenId: 6,
    visionStartTokenId: 3,
    visionEndTokenId: 4,
    eosTokenId: 2,
    padTokenId: 0,
  };
  for (const width of [128, 192]) {
    const config = tinyConfig(ids, { width });
    using model = new OneVision(config, (_name, shape) => ops.expand(ops.zeros([1]), shape));
    assert.ok(model.numParameters > 2e6 && model.numParameters < 6e6);
  }
});
