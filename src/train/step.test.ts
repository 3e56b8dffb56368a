// One step: the loss of a pack is that of its samples, micro-batches change nothing, NaN is named,
// memory stays flat, frozen parts stay as they are.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareTinyRun, TINY_SPEC, tinyModel } from '../../test/support/tiny-run.ts';
import { OneVisionError } from '../core/errors.ts';
import { makeBatch, NO_TARGET } from '../model/batch.ts';
import type { OneVision } from '../model/onevision.ts';
import { Originals } from '../nn/optim/copies.ts';
import { openPacks } from '../pack/read.ts';
import { memory, noGrad, setNumThreads, tidy } from '../tensor/index.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { OptimizerSchema, type OptimizerSettings, PARTS, type Part } from './config.ts';
import { Assembler } from './data/assemble.ts';
import { type AssembledPack, joinBatches } from './data/segments.ts';
import { createOptimizer, partOf, selectTrainable } from './optimizer.ts';
import { type StepOptions, type StepResult, trainStep } from './step.ts';

let dir = '';
let packs: AssembledPack[] = [];

before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'step-'));
  await prepareTinyRun(dir);
  const assembler = new Assembler(loadTokenizer(join(dir, 'tokenizer')), TINY_SPEC);
  using reader = openPacks(join(dir, 'packs'));
  const all = Array.from({ length: reader.numPacks }, (_, index) => reader.read(index));
  packs = await Promise.all(all.map((pack) => assembler.assemble(pack, 0)));
});
after(() => rmSync(dir, { recursive: true }));

function start(
  optimizer: OptimizerSettings = { lr: 1e-3 },
  parts: readonly Part[] = PARTS,
  microBatchPacks = 1,
): StepOptions {
  const model = tinyModel(dir);
  const parameters = selectTrainable(model, parts);
  const config = OptimizerSchema.parse(optimizer);
  return {
    model,
    copies: new Originals(parameters),
    optimizer: createOptimizer(parameters, config),
    microBatchPacks,
    clip: 1,
  };
}

function weights(model: OneVision): Map<string, number[]> {
  return new Map([...model.namedParameters()].map(([name, tensor]) => [name, tensor.toNumbers()]));
}

function lossOf(model: OneVision, batch: AssembledPack['batch']): number {
  return noGrad(() => tidy(() => model.loss(batch).lossSum.item()));
}

test('the loss of a pack is the sum over its samples alone', () => {
  const model = tinyModel(dir);
  const [pack] = packs.filter(({ batch }) => batch.grids.length > 0);
  assert.ok(pack !== undefined);
  const { batch } = pack;
  let patch = 0;
  let image = 0;
  let sum = 0;
  for (let i = 0; i + 1 < batch.cuSeqlens.length; i += 1) {
    const [from = 0, to = 0] = batch.cuSeqlens.subarray(i, i + 2);
    const inputIds = batch.inputIds.slice(from, to);
    let numTokens = inputIds.filter((id) => id === model.config.imageTokenId).length;
    const images = [];
    for (; numTokens > 0; image += 1) {
      const [, gridH = 0, gridW = 0] = batch.grids.subarray(3 * image, 3 * image + 3);
      const pixels = batch.pixels.slice(588 * patch, 588 * (patch + gridH * gridW));
      images.push({ pixels, gridH, gridW });
      patch += gridH * gridW;
      numTokens -= (gridH * gridW) / 4;
    }
    const alone = makeBatch([{ inputIds, targets: batch.targets.slice(from, to), images }]);
    sum += lossOf(model, { lossWeights: new Float32Array(to - from).fill(1), ...alone });
  }
  const whole = lossOf(model, batch);
  assert.ok(Math.abs(whole - sum) < 1e-5 * whole, `${whole} against ${sum}`);
});

test('the last position of every segment predicts nothing', () => {
  for (const { batch } of packs) {
    for (const end of batch.cuSeqlens.subarray(1)) assert.equal(batch.targets[end - 1], NO_TARGET);
  }
});

test('micro-batches of any size give the step of one batch', () => {
  const run = (microBatchPacks: number): [StepResult, Map<string, number[]>] => {
    const options = start({ lr: 1e-3 }, PARTS, microBatchPacks);
    const result = trainStep(packs.slice(0, 4), 1e-3, options);
    return [result, weights(options.model)];
  };
  const [whole, expected] = run(4);
  for (const size of [1, 2, 3]) {
    const [result, actual] = run(size);
    assert.ok(Math.abs(result.loss - whole.loss) < 1e-5);
    assert.ok(Math.abs(result.gradNorm - whole.gradNorm) < 1e-5 * whole.gradNorm);
    const ofParts = Math.hypot(...result.gradNorms.values());
    assert.ok(Math.abs(ofParts - result.gradNorm) < 1e-5 * result.gradNorm);
    assert.deepEqual([...result.gradNorms.keys()], PARTS);
    // AdamW's first update is lr · sign(gradient): near-zero gradients may differ in sign.
    let numDifferent = 0;
    for (const [name, values] of expected) {
      const other = actual.get(name) ?? [];
      numDifferent += values.filter((v, i) => Math.abs(v - (other[i] ?? 0)) > 1e-5).length;
    }
    assert.ok(numDifferent < 90, `${numDifferent} weights differ`);
  }
});

test('bfloat16 products stay near the float32 step', () => {
  const exact = trainStep(packs.slice(0, 2), 1e-3, start());
  const mixed = trainStep(packs.slice(0, 2), 1e-3, { ...start(), matmul: 'bfloat16' });
  assert.notEqual(mixed.loss, exact.loss);
  assert.ok(Math.abs(mixed.loss - exact.loss) < 0.01 * exact.loss);
});

test('losses by source sum to the loss', () => {
  const result = trainStep(packs.slice(0, 2), 1e-3, start());
  const parts = [...result.bySource.values()];
  const sum = parts.reduce((total, part) => total + part.sum, 0);
  const weight = parts.reduce((total, part) => total + part.weight, 0);
  assert.equal(result.loss, sum / weight);
});

test('sqrt-length weights make an answer of n tokens count √n', async () => {
  const settings = { ...TINY_SPEC, lossWeighting: 'sqrt-length' } as const;
  const assembler = new Assembler(loadTokenizer(join(dir, 'tokenizer')), settings);
  using reader = openPacks(join(dir, 'packs'));
  const { batch } = await assembler.assemble(reader.read(0), 0);
  let start = -1;
  batch.targets.forEach((target, i) => {
    if (target !== NO_TARGET && start < 0) start = i;
    if (target !== NO_TARGET || start < 0) return;
    const sum = batch.lossWeights.slice(start, i).reduce((total, weight) => total + weight, 0);
    assert.ok(Math.abs(sum - Math.sqrt(i - start)) < 1e-5);
    start = -1;
  });
});

test('only the chosen parts change, the rest has no gradient and no optimizer state', () => {
  const options = start({ lr: 1e-2, name: 'muon' }, ['merger']);
  const before = weights(options.model);
  trainStep(packs.slice(0, 4), 1e-2, options);
  for (const [name, values] of weights(options.model)) {
    const changed = JSON.stringify(values) !== JSON.stringify(before.get(name));
    assert.equal(changed, partOf(name) === 'merger', name);
  }
  const parts = [...options.optimizer.state().keys()].map(partOf);
  assert.deepEqual([...new Set(parts)], ['merger']);
});

test('a loss that is not finite is named with its samples, and no weight has changed', () => {
  const options = start();
  const before = weights(options.model);
  const bad = structuredClone(packs.filter(({ batch }) => batch.pixels.length > 0)[0]);
  assert.ok(bad !== undefined);
  bad.batch.pixels[3] = Number.NaN;
  assert.throws(
    () => trainStep([bad], 1e-3, options),
    (error) =>
      error instanceof OneVisionError &&
      error.code === 'numerics' &&
      error.message.includes(bad.uids[0] ?? '?'),
  );
  assert.deepEqual(weights(options.model), before);
});

test('a step without a supervised token is named', () => {
  const bad = structuredClone(packs[0]);
  assert.ok(bad !== undefined);
  bad.batch.targets.fill(NO_TARGET);
  assert.throws(
    () => trainStep([bad], 1e-3, start()),
    (error) => error instanceof OneVisionError && error.code === 'data',
  );
});

test('no tensor is left behind over 200 steps', () => {
  const options = start({ lr: 1e-3, name: 'muon' });
  const step = (i: number): StepResult =>
    trainStep(packs.slice(i % 10, (i % 10) + 1), 1e-3, options);
  for (let i = 0; i < 10; i += 1) step(i);
  const before = memory();
  for (let i = 0; i < 200; i += 1) step(i);
  assert.deepEqual(memory(), before);
});

test('several batches as one keep their segments', () => {
  const two = joinBatches(packs.slice(0, 2).map((pack) => pack.batch));
  const [a, b] = packs;
  assert.ok(a !== undefined && b !== undefined);
  assert.equal(two.inputIds.length, a.batch.inputIds.length + b.batch.inputIds.length);
  assert.deepEqual(
    [...two.cuSeqlens.subarray(0, a.batch.cuSeqlens.length)],
    [...a.batch.cuSeqlens],
  );
  assert.equal(two.cuSeqlens.at(-1), two.inputIds.length);
  assert.equal(two.grids.length, a.batch.grids.length + b.batch.grids.length);
  const model = tinyModel(dir);
  const sum = lossOf(model, a.batch) + lossOf(model, b.batch);
  assert.ok(Math.abs(lossOf(model, two) - sum) < 1e-4 * sum);
});

test('a step that is refused names its samples of highest loss and changes nothing', () => {
  const options = start();
  const before = weights(options.model);
  let seen: readonly string[] = [];
  const judge: StepOptions['judge'] = ({ loss, gradNorm }, worst) => {
    assert.ok(loss > 0 && gradNorm > 0);
    seen = worst;
    return 'loss 9 above 3';
  };
  const step = (): StepResult => trainStep(packs.slice(0, 2), 1e-3, { ...options, judge });
  assert.throws(step, { code: 'numerics', message: /like those before, came loss 9 above 3/ });
  assert.deepEqual(weights(options.model), before);
  const means = packs.slice(0, 2).flatMap(({ batch, uids }) =>
    uids.map((uid, segment) => {
      const targets = batch.targets.map((target, i) => {
        const [from = 0, to = 0] = batch.cuSeqlens.subarray(segment, segment + 2);
        return i >= from && i < to ? target : NO_TARGET;
      });
      const count = targets.filter((target) => target !== NO_TARGET).length;
      return { uid, mean: count === 0 ? 0 : lossOf(options.model, { ...batch, targets }) / count };
    }),
  );
  const sorted = means.sort((a, b) => b.mean - a.mean).map(({ uid }) => uid);
  assert.deepEqual(seen.slice(0, 3), sorted.slice(0, 3));
});
