// Twenty training steps against PyTorch and transformers: golden/train.safetensors, made by
// make-train.py on padded batches. Ours runs the same sequences as packed segments.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBatch, NO_TARGET, type Segment } from '../../src/model/batch.ts';
import { OneVision } from '../../src/model/onevision.ts';
import { freshParameters } from '../../src/nn/init.ts';
import { cosineLr } from '../../src/nn/schedule.ts';
import { keep, setNumThreads } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';
import { TrainConfigSchema, type TrainSettings } from '../../src/train/config.ts';
import type { AssembledPack } from '../../src/train/data/segments.ts';
import { Learner } from '../../src/train/learner.ts';
import { copyModel } from '../../src/train/resume.ts';
import { trainStep } from '../../src/train/step.ts';
import { SMALL } from '../support/model.ts';

setNumThreads(1);
const STEPS = 20;
const PACKS_PER_STEP = 2;
const SEQUENCES_PER_PACK = 2;
const golden = openSafetensors(new URL('golden/train.safetensors', import.meta.url).pathname);

function goldenModel(): OneVision {
  const fresh = freshParameters({ seed: 1 });
  const text = {
    ...SMALL.text,
    vocabSize: 64,
    hiddenSize: 32,
    intermediateSize: 48,
  };
  return new OneVision(
    { ...SMALL, text, imageTokenId: 1000, videoTokenId: 1001 },
    (name, shape, init) => {
      const stored = `weight/${name}`;
      return golden.names.includes(stored)
        ? keep(ops.clone(golden.tensor(stored)))
        : fresh(name, shape, init);
    },
  );
}

/** The packs of every step: two sequences each, their last two thirds supervised. */
function goldenPacks(): AssembledPack[] {
  const ids = golden.tensor('input_ids').toArray() as Int32Array;
  const segments: Segment[] = [];
  let start = 0;
  for (const length of golden.tensor('lengths').toNumbers()) {
    const inputIds = ids.slice(start, start + length);
    const first = Math.floor(length / 3);
    const targets = inputIds.map((_, i) =>
      i + 1 >= first && i + 1 < length ? (inputIds[i + 1] ?? NO_TARGET) : NO_TARGET,
    );
    segments.push({ inputIds, targets, images: [], lossWeights: new Float32Array(length).fill(1) });
    start += length;
  }
  return Array.from({ length: segments.length / SEQUENCES_PER_PACK }, (_, i) => {
    const own = segments.slice(SEQUENCES_PER_PACK * i, SEQUENCES_PER_PACK * (i + 1));
    const batch = { lossWeights: new Float32Array(), ...makeBatch(own) };
    const names = own.map((_, j) => `sequence ${SEQUENCES_PER_PACK * i + j}`);
    return {
      key: `pack ${i}`,
      batch,
      uids: names,
      sources: names.map(() => 'golden'),
      skipped: [],
    };
  });
}

/** Losses and gradient norms of all steps, with settings that may differ from the script's. */
function train(settings: Partial<TrainSettings> = {}): { losses: number[]; norms: number[] } {
  const config = TrainConfigSchema.parse({
    steps: STEPS,
    packsPerStep: PACKS_PER_STEP,
    trainable: ['language'],
    optimizer: { lr: 1e-2, minLr: 1e-4, warmup: 0.2, weightDecay: 0.1 },
    ...settings,
  });
  using exact = goldenModel();
  const isExact = config.precision === 'float32';
  using model = isExact ? exact : copyModel(exact, 'bfloat16');
  using learner = new Learner(model, config, exact.namedParameters());
  const packs = goldenPacks();
  const results = Array.from({ length: STEPS }, (_, step) => {
    const { lr: peak, minLr: min, warmup, clip } = config.optimizer;
    const lr = cosineLr(step, {
      peak,
      min,
      warmupSteps: Math.ceil(warmup * STEPS),
      totalSteps: STEPS,
    });
    assert.ok(Math.abs(lr - (golden.tensor('learning_rates').toNumbers()[step] ?? 0)) < 1e-12);
    const own = packs.slice(PACKS_PER_STEP * step, PACKS_PER_STEP * (step + 1));
    const { microBatchPacks, matmul, recompute } = config;
    return trainStep(own, lr, { ...learner, microBatchPacks, matmul, recompute, clip });
  });
  return { losses: results.map((r) => r.loss), norms: results.map((r) => r.gradNorm) };
}

/** Largest relative difference from the golden numbers. */
function worst(came: readonly number[], name: string): number {
  const expected = golden.tensor(name).toNumbers();
  assert.equal(came.length, expected.length);
  return Math.max(...came.map((value, i) => Math.abs(value / (expected[i] ?? 0) - 1)));
}

test('losses and gradient norms of 20 steps equal PyTorch within 1e-5', (t) => {
  const { losses, norms } = train();
  const [loss, norm] = [worst(losses, 'losses'), worst(norms, 'grad_norms')];
  t.diagnostic(
    `largest relative difference: loss ${loss.toExponential(1)}, norm ${norm.toExponential(1)}`,
  );
  assert.ok((losses.at(-1) ?? 9) < 0.8 * (losses[0] ?? 0), 'it learns');
  assert.ok(loss < 1e-5, `${loss}`);
  assert.ok(norm < 1e-4, `${norm}`);
});

test('the same with recomputed blocks to the bit, and with one large micro-batch', () => {
  const plain = train();
  assert.deepEqual(train({ recompute: { language: 'full' } }), plain);
  assert.deepEqual(train({ recompute: { language: ['selective', 'full'] } }), plain);
  assert.ok(worst(train({ microBatchPacks: 2 }).losses, 'losses') < 1e-5);
});

test('bfloat16 with float32 copies and with stochastic rounding stay near', () => {
  for (const settings of [
    { matmul: 'bfloat16' },
    { precision: 'bfloat16' },
    { precision: 'bfloat16', microBatchPacks: 2, offload: true },
    { precision: 'bfloat16-stochastic' },
  ] as const) {
    const losses = train(settings).losses;
    assert.ok(worst(losses, 'losses') < 0.02, `${JSON.stringify(settings)} ${losses}`);
    assert.deepEqual(train(settings).losses, losses);
  }
});
