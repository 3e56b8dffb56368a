// The memory model: parameters against the weights themselves and the published counts, adapters against
// those that learn, and what it says of known cases. Measured peaks: bench/memory-model.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SMALL, smallModel } from '../../../test/support/model.ts';
import { ONEVISION_4B, ONEVISION_8B, ONEVISION_30B_A3B } from '../../model/presets.ts';
import { TrainConfigSchema, type TrainSettings } from '../config.ts';
import { Learner } from '../learner.ts';
import { planMemory } from './memory.ts';
import { modelSize } from './parameters.ts';
import { workOfShape } from './schedule-work.ts';

const config = (settings: Partial<TrainSettings> = {}) =>
  TrainConfigSchema.parse({
    steps: 1,
    packsPerStep: 8,
    optimizer: { lr: 1 },
    precision: 'bfloat16',
    ...settings,
  });
/** A pack of 8192 tokens, two thirds of images. */
const PACK = workOfShape({ tokens: 8192, segments: 10.6, imageShare: 0.65, patchesPerToken: 4 });
const FULL = { vision: 'full', language: 'full' } as const;
const GB = 1e9;

test('parameters are those of the weights, and of the released models', () => {
  using model = smallModel();
  const total = [...model.namedParameters().values()].reduce((sum, { numel }) => sum + numel, 0);
  assert.equal(modelSize(SMALL, config()).all.total, total);
  assert.equal(modelSize(ONEVISION_4B, config()).all.total, 4_741_610_528);
  assert.equal(modelSize(ONEVISION_8B, config()).all.total, 8_527_214_624);
  const experts = modelSize(ONEVISION_30B_A3B, config()).all.total;
  assert.ok(experts > 30e9 && experts < 31.5e9, `${experts}`);
});

test('those that learn are the ones that a learner has', () => {
  const cases: Partial<TrainSettings>[] = [
    {},
    { trainable: ['merger'] },
    { trainable: ['vision', 'language'] },
    { trainable: ['merger', 'language'], lora: { rank: 3, parts: ['language'] } },
    { lora: { rank: 2, parts: ['vision', 'merger', 'language'] } },
  ];
  for (const settings of cases) {
    const train = config({ precision: 'float32', ...settings });
    using model = smallModel();
    using learner = new Learner(model, train);
    const learned = [...learner.parameters.values()].reduce((sum, { numel }) => sum + numel, 0);
    assert.equal(modelSize(SMALL, train).all.learned, learned, JSON.stringify(settings));
  }
});

test('the 4B with adapters trains in less than 24 GB', () => {
  const lora = { rank: 64, parts: ['language'] } as const;
  const train = config({ lora, trainable: ['merger', 'language'], recompute: FULL });
  const { peak } = planMemory(ONEVISION_4B, train, PACK);
  assert.ok(peak < 24 * GB && peak > 10 * GB, `${peak / GB}`);
});

test('known budgets: 16 bytes a parameter of state, and what each setting saves', () => {
  const whole = planMemory(ONEVISION_4B, config(), PACK);
  assert.ok(Math.abs((whole.weights + whole.state) / (4_741_610_528 * 14) - 1) < 1e-9);
  const selective = config({ recompute: { vision: 'full', language: 'selective' } });
  const full = planMemory(ONEVISION_4B, config({ recompute: FULL }), PACK);
  const some = planMemory(ONEVISION_4B, selective, PACK);
  assert.ok(full.peak < some.peak && some.peak < whole.peak);
  // reference: 102-111 GB with norms, SwiGLU and the tower's blocks computed again
  assert.ok(some.peak > 95 * GB && some.peak < 125 * GB, `${some.peak / GB}`);
  const offload = planMemory(ONEVISION_4B, config({ recompute: FULL, offload: true }), PACK);
  assert.equal(offload.state, 0);
  assert.ok(offload.offloaded > 12 * 4.7 * GB && offload.peak < full.peak - 50 * GB);
  const shared = planMemory(ONEVISION_8B, config({ recompute: FULL }), PACK, {
    shards: 8,
    shareWeights: true,
  });
  assert.ok(shared.peak < 80 * 2 ** 30, `${shared.peak / GB}`);
});
