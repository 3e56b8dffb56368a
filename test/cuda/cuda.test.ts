// The same computations on a CUDA device as on the processor. Skipped where libtorch sees none.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createRandom } from '../../src/core/hash.ts';
import { makeBatch } from '../../src/model/batch.ts';
import { generate } from '../../src/model/generate.ts';
import { OneVision } from '../../src/model/onevision.ts';
import { attentionLayout, varlenAttention } from '../../src/nn/attention.ts';
import { cumulativeLengths, planSegments } from '../../src/nn/segments.ts';
import {
  backward,
  type DType,
  deviceMemory,
  deviceNames,
  fromArray,
  memory,
  noGrad,
  resetPeakMemory,
  type Tensor,
  tidy,
} from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import type { TrainConfig } from '../../src/train/config.ts';
import { TrainConfigSchema } from '../../src/train/config.ts';
import { Learner } from '../../src/train/learner.ts';
import { trainStep } from '../../src/train/step.ts';
import { randomSegment, smallModel } from '../support/model.ts';
import { prepareTinyRun, runTiny, tinyModel } from '../support/tiny-run.ts';

const [device = 'cpu'] = deviceNames();
const skip = device === 'cpu' ? 'libtorch sees no CUDA device here' : false;
const dir = mkdtempSync(join(tmpdir(), 'onevision-cuda-'));
after(() => rmSync(dir, { recursive: true }));

/** A copy of a model on a device in a type. */
function moved(model: OneVision, to: { device: string; dtype: DType }): OneVision {
  const weights = model.namedParameters();
  const copy = (name: string): Tensor => ops.toCopy(weights.get(name) as Tensor, to);
  return noGrad(() => new OneVision(model.config, copy));
}

/** ‖a − b‖ / ‖b‖. */
function distance(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length);
  let [difference, size] = [0, 0];
  for (const [i, value] of b.entries()) {
    difference += ((a[i] ?? Number.NaN) - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}

const samples = [
  randomSegment('a', 14, [[4, 6]]),
  randomSegment('b', 9, []),
  randomSegment('c', 21, [
    [2, 4],
    [6, 4],
  ]),
];

/** Loss and gradients of all parameters. */
function learn(model: OneVision, options: Parameters<OneVision['loss']>[1] = {}) {
  model.setRequiresGrad(true);
  return tidy(() => {
    const { lossSum } = model.loss(makeBatch(samples), options);
    backward(lossSum);
    const gradients = new Map<string, number[]>();
    for (const [name, parameter] of model.namedParameters()) {
      gradients.set(name, parameter.grad?.toNumbers() ?? []);
      parameter.grad = null;
    }
    return { loss: lossSum.item(), gradients };
  });
}

test('loss and every gradient: float32 on both, then bfloat16 through one kernel', { skip }, () => {
  using model = smallModel();
  using exact = moved(model, { device: 'cpu', dtype: 'float64' });
  const expected = learn(exact);
  for (const [dtype, tolerance] of [
    ['float32', 1e-4],
    ['bfloat16', 6e-2],
  ] as const) {
    using there = moved(model, { device, dtype });
    assert.equal(there.device, device);
    const came = learn(there);
    assert.ok(Math.abs(came.loss / expected.loss - 1) < tolerance, `${came.loss}`);
    const all = (gradients: Map<string, number[]>): number[] => [...gradients.values()].flat();
    const off = distance(all(came.gradients), all(expected.gradients));
    assert.ok(off < tolerance, `gradients in ${dtype} are off by ${off}`);
  }
});

test('attention of segments of any lengths equals float64 on the processor', { skip }, () => {
  const random = createRandom('cuda', 'attention');
  const lengths = Array.from({ length: 40 }, () => 1 + random.int(150));
  for (const [causal, heads, kvHeads, dim] of [
    [true, 8, 2, 128],
    [false, 4, 4, 64],
  ] as const) {
    const plan = planSegments(cumulativeLengths(lengths), { groupCost: 0 });
    const make = (count: number): Float32Array =>
      Float32Array.from({ length: plan.numRows * count * dim }, () => random.normal());
    const data = [make(heads), make(kvHeads), make(kvHeads), make(heads)] as const;
    const run = (dtype: DType, where: string): number[][] =>
      tidy(() => {
        const [q, k, v, gradient] = data.map((values, i) => {
          const shape = [plan.numRows, i === 0 || i === 3 ? heads : kvHeads, dim];
          const half = ops.toCopy(fromArray(values, shape), { dtype: 'bfloat16' });
          const tensor = ops.toCopy(half, { dtype, device: where });
          tensor.requiresGrad = i < 3;
          return tensor;
        }) as [Tensor, Tensor, Tensor, Tensor];
        const layout = attentionLayout(plan.groups, { causal, dtype, device: where });
        assert.equal(layout.bounds !== undefined, dtype === 'bfloat16');
        const out = varlenAttention(q, k, v, layout);
        backward(out, { gradient: ops.flatten(gradient, { startDim: 1 }) });
        return [out, q.grad, k.grad, v.grad].map((tensor) => (tensor as Tensor).toNumbers());
      });
    const expected = run('float64', 'cpu');
    const came = run('bfloat16', device);
    for (const [i, name] of ['output', 'q', 'k', 'v'].entries()) {
      const off = distance(came[i] as number[], expected[i] as number[]);
      assert.ok(off < 1e-2, `${name} is off by ${off}`);
    }
  }
});

test('recomputation and chunks of logits change nothing but rounding', { skip }, () => {
  using model = smallModel();
  using there = moved(model, { device, dtype: 'float32' });
  const plain = learn(there);
  const modes = [
    { recompute: { vision: 'full', language: 'full' } },
    { recompute: { vision: 'selective', language: 'selective' } },
    { chunkRows: 3 },
  ] as const;
  for (const options of modes) {
    const came = learn(there, options);
    for (const [name, gradient] of came.gradients) {
      const off = distance(gradient, plain.gradients.get(name) ?? []);
      assert.ok(off < 1e-5, `${name} is off by ${off} with ${JSON.stringify(options)}`);
    }
  }
});

test('greedy replies are the same tokens', { skip }, () => {
  using model = smallModel();
  using there = moved(model, { device, dtype: 'float32' });
  const prompts = samples.map(({ inputIds, images }) => ({ inputIds, images }));
  const options = { maxNewTokens: 12, stopIds: [] };
  const here = generate(model, prompts, options).map(({ ids }) => [...ids]);
  assert.deepEqual(
    generate(there, prompts, options).map(({ ids }) => [...ids]),
    here,
  );
});

/** Losses of some steps on the same samples. */
function train(where: string, config: TrainConfig): number[] {
  using model = moved(smallModel(), {
    device: where,
    dtype: config.precision === 'float32' ? 'float32' : 'bfloat16',
  });
  using learner = new Learner(model, config);
  const batch = { ...makeBatch(samples), lossWeights: new Float32Array() };
  const pack = {
    key: 'pack',
    batch: { ...batch, lossWeights: new Float32Array(batch.inputIds.length).fill(1) },
    uids: ['a', 'b', 'c'],
    sources: ['s', 's', 's'],
    skipped: [],
  };
  return Array.from({ length: 12 }, () => {
    return trainStep([pack], config.optimizer.lr, { ...learner, microBatchPacks: 1, clip: 1 }).loss;
  });
}

test('twelve steps of each optimizer and precision go the same way', { skip }, () => {
  for (const [changes, tolerance] of [
    [{ optimizer: { lr: 1e-3 } }, 1e-4],
    [{ optimizer: { name: 'muon', lr: 1e-3 } }, 1e-3],
    [{ optimizer: { lr: 1e-3 }, precision: 'bfloat16' }, 3e-2],
    [{ optimizer: { lr: 1e-3 }, precision: 'bfloat16', offload: true }, 3e-2],
    [{ optimizer: { lr: 1e-3 }, precision: 'bfloat16-stochastic' }, 3e-2],
    [{ optimizer: { lr: 1e-2 }, lora: { rank: 4 } }, 1e-3],
  ] as const) {
    const config = TrainConfigSchema.parse({ steps: 12, ...changes });
    const float = TrainConfigSchema.parse({ ...config, precision: 'float32', offload: false });
    const expected = train('cpu', float);
    const came = train(device, config);
    for (const [i, loss] of came.entries()) {
      const off = Math.abs(loss / (expected[i] as number) - 1);
      assert.ok(off < tolerance, `step ${i + 1} of ${JSON.stringify(changes)} is off by ${off}`);
    }
    assert.ok((came.at(-1) as number) < (came[0] as number));
  }
});

test('a run on the device: packs, checkpoints, resume, no leak', { skip }, async () => {
  await prepareTinyRun(dir);
  const createModel = (): OneVision => moved(tinyModel(dir), { device, dtype: 'float32' });
  const losses = async (name: string, more = {}): Promise<number[]> => {
    const list: number[] = [];
    const onStep = (_step: number, { loss }: { loss: number }): void => void list.push(loss);
    using _model = await runTiny(dir, name, {}, { onStep, ...more });
    return list;
  };
  const here = await losses('here');
  resetPeakMemory(device);
  const before = { ...memory(), onDevice: deviceMemory(device).sizeBytes };
  const there = await losses('there', { device, createModel });
  for (const [i, loss] of there.entries()) {
    assert.ok(Math.abs(loss / (here[i] as number) - 1) < 2e-2, `step ${i + 1}: ${loss}`);
  }
  assert.deepEqual(await losses('there', { device, createModel }), []);
  assert.equal(memory().numTensors, before.numTensors);
  assert.equal(deviceMemory(device).sizeBytes, before.onDevice);
});
