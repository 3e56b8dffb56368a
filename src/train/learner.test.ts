// Runs in half precision, with adapters, with an average, in other reductions: what is trained, what
// a checkpoint holds, and that a resumed run is the uninterrupted one to the bit.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { maxDifference } from '../../test/support/gradients.ts';
import {
  prepareTinyRun,
  runTiny,
  TINY_SPEC,
  type TinyChanges,
  tinyModel,
} from '../../test/support/tiny-run.ts';
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { loadModel } from '../model/checkpoint.ts';
import { openPacks } from '../pack/read.ts';
import { memory, noGrad, setNumThreads, tidy } from '../tensor/index.ts';
import { openSafetensors } from '../tensor/safetensors.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { TrainConfigSchema, type TrainSettings } from './config.ts';
import { Assembler } from './data/assemble.ts';
import type { AssembledPack } from './data/segments.ts';
import { dryRun } from './dry-run.ts';
import { Learner } from './learner.ts';
import { partOf } from './optimizer.ts';
import { copyModel } from './resume.ts';
import { Snapshot } from './saving/snapshot.ts';
import { trainStep } from './step.ts';

let dir = '';
let packs: AssembledPack[] = [];

before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'learner-'));
  await prepareTinyRun(dir);
  const assembler = new Assembler(loadTokenizer(join(dir, 'tokenizer')), TINY_SPEC);
  using reader = openPacks(join(dir, 'packs'));
  const all = Array.from({ length: 4 }, (_, index) => reader.read(index));
  packs = await Promise.all(all.map((pack) => assembler.assemble(pack, 0)));
});
after(() => rmSync(dir, { recursive: true }));

const config = (settings: Partial<TrainSettings>): ReturnType<typeof TrainConfigSchema.parse> =>
  TrainConfigSchema.parse({ steps: 4, optimizer: { lr: 1e-2 }, ...settings });

/** All files of the last checkpoint, as one hash. */
function endOf(run: string): string {
  const at = join(dir, run, 'checkpoints/step-000014');
  const files = ['model', 'optimizer', 'ema'].map((name) => join(at, `${name}.safetensors`));
  return files.map((file) => (existsSync(file) ? sha256Hex(readFileSync(file)) : '-')).join();
}

const RUNS: Readonly<Record<string, TinyChanges>> = {
  bfloat16: { precision: 'bfloat16', emaDecay: 0.9, offload: true, microBatchPacks: 1 },
  stochastic: { precision: 'bfloat16-stochastic', optimizer: { lr: 3e-3 } },
  adapters: {
    trainable: ['vision', 'merger', 'language'],
    lora: { rank: 2, parts: ['language', 'vision'] },
    recompute: { language: 'selective', vision: 'full' },
  },
  'pack mean': { lossWeighting: 'pack-mean', emaDecay: 0.5 },
};

for (const [name, changes] of Object.entries(RUNS)) {
  test(`${name}: resumed = uninterrupted, to the bit`, async () => {
    (await runTiny(dir, name, { ...changes, keepLast: 9 }))[Symbol.dispose]();
    // Back to a checkpoint inside the second stage.
    const again = `${name} again`;
    cpSync(join(dir, name), join(dir, again), { recursive: true });
    for (const step of ['10', '13', '14']) {
      rmSync(join(dir, again, `checkpoints/step-0000${step}`), { recursive: true });
    }
    (await runTiny(dir, again, { ...changes, keepLast: 9 }))[Symbol.dispose]();
    assert.equal(endOf(again), endOf(name));
  });
}

test('a checkpoint within a stage of adapters opens elsewhere with them merged', async () => {
  const at = join(dir, 'adapters/checkpoints/step-000010');
  using saved = loadModel(at);
  using file = openSafetensors(join(at, 'lora.safetensors'));
  const layer = 'model.layers.1.mlp.up_proj.';
  const [down, up, base] = ['lora_A.weight', 'lora_B.weight', 'weight.base'].map((end) =>
    file.tensor(`${layer}${end}`).toNumbers(),
  ) as [number[], number[], number[]];
  const columns = down.length / 2;
  const expected = base.map((weight, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const product = (k: number): number =>
      (up[2 * row + k] ?? 0) * (down[columns * k + column] ?? 0);
    return weight + 2 * (product(0) + product(1));
  });
  const merged = saved.namedParameters().get(`${layer}weight`);
  assert.ok(merged !== undefined && maxDifference(merged, expected) < 1e-6);
  assert.ok(maxDifference(merged, base) > 1e-6);
  assert.ok(!existsSync(join(dir, 'adapters/checkpoints/step-000014/lora.safetensors')));
});

test('frozen parts: no graph, no gradient, no optimizer state; a part’s learning rate', () => {
  using model = tinyModel(dir);
  const settings = config({
    trainable: ['merger', 'language'],
    optimizer: { lr: 1e-2, partLr: { merger: 0 } },
  });
  using learner = new Learner(model, settings);
  tidy(() => {
    const withImages = packs.find(({ batch }) => batch.grids.length > 0);
    assert.ok(withImages !== undefined);
    const layout = model.layoutRows(withImages.batch);
    assert.ok(model.embed(withImages.batch, layout).requiresGrad);
  });
  const before = new Map([...model.namedParameters()].map(([n, p]) => [n, p.toNumbers()]));
  trainStep(packs, 1e-2, { ...learner, microBatchPacks: 2, clip: 1 });
  for (const [name, parameter] of model.namedParameters()) {
    const changed = maxDifference(parameter, before.get(name) ?? []) > 0;
    assert.equal(changed, partOf(name) === 'language', name);
    if (partOf(name) === 'vision') assert.equal(parameter.grad, null);
  }
  const parts = new Set([...learner.optimizer.state().keys()].map(partOf));
  assert.deepEqual([...parts].sort(), ['language', 'merger']);
});

test('pack-mean: the gradient is that of the mean of the packs’ own means', () => {
  const gradients = (reduction: 'token-mean' | 'pack-mean', list: AssembledPack[]): number[] => {
    using model = tinyModel(dir);
    using learner = new Learner(model, config({}));
    const out: number[] = [];
    // A learner whose update only looks.
    const optimizer = {
      ...learner.optimizer,
      step: () => {
        for (const p of model.namedParameters().values()) out.push(...(p.grad?.toNumbers() ?? []));
      },
    };
    const options = { ...learner, optimizer, reduction, microBatchPacks: 2, clip: 0 };
    const { loss } = trainStep(list, 1, options);
    assert.ok(loss > 0);
    return out;
  };
  const each = packs.map((pack) => gradients('token-mean', [pack]));
  const expected = each[0]?.map((_, i) => each.reduce((a, g) => a + (g[i] ?? 0), 0) / packs.length);
  const largest = Math.max(...(expected ?? []).map(Math.abs));
  const came = gradients('pack-mean', packs);
  assert.ok(maxDifference(came, expected ?? []) < 1e-5 * largest);
  assert.ok(maxDifference(gradients('token-mean', packs), came) > 1e-3 * largest);
});

test('a model that has learned and is gone leaves no tensor behind', () => {
  const start = memory().numTensors;
  for (const settings of [
    { precision: 'bfloat16', emaDecay: 0.9, recompute: { vision: 'full', language: 'selective' } },
    { precision: 'bfloat16', lora: { rank: 2 } },
  ] as const) {
    using exact = tinyModel(dir);
    using model = copyModel(exact, 'bfloat16');
    using learner = new Learner(model, config(settings));
    tidy(() => void trainStep(packs, 1e-2, { ...learner, microBatchPacks: 1, clip: 1 }));
    learner.average();
    using _snapshot = new Snapshot(learner);
  }
  assert.equal(memory().numTensors, start);
});

test('the dry run fills both budgets, changes nothing, and names what does not fit', () => {
  using model = tinyModel(dir);
  const settings = config({ microBatchPacks: 2, packsPerStep: 2 });
  using learner = new Learner(model, settings);
  using reader = openPacks(join(dir, 'packs'));
  const before = [...model.namedParameters().values()].map((p) => p.toNumbers());
  const { numTensors } = memory();
  const { tokens, patches, peakGib } = dryRun(learner, settings, reader.facts);
  const { maxTokens, maxPatches } = reader.facts;
  assert.ok(tokens > 1.9 * maxTokens && tokens <= 2 * maxTokens, `${tokens}`);
  assert.ok(patches > 1.9 * maxPatches && patches <= 2 * maxPatches, `${patches}`);
  assert.ok(peakGib > 0);
  assert.equal(memory().numTensors, numTensors);
  for (const [i, parameter] of [...model.namedParameters().values()].entries()) {
    assert.equal(parameter.grad, null);
    assert.equal(maxDifference(parameter, before[i] ?? []), 0);
  }
  model.loss = () => {
    throw new OneVisionError('memory', 'can’t allocate memory: 9 GB');
  };
  assert.throws(
    () => noGrad(() => dryRun(learner, settings, reader.facts)),
    (error) =>
      error instanceof OneVisionError &&
      error.code === 'memory' &&
      /2 packs of together \d+ tokens and \d+ patches, came: can’t allocate/.test(error.message),
  );
});

test('settings that contradict each other are refused by name', () => {
  const message = (settings: object): string =>
    TrainConfigSchema.safeParse({ steps: 1, optimizer: { lr: 1 }, ...settings }).error?.message ??
    '';
  const muon = { name: 'muon', lr: 1 };
  assert.match(
    message({ precision: 'bfloat16-stochastic', optimizer: muon }),
    /needs the optimizer adamw/,
  );
  assert.match(message({ precision: 'bfloat16', matmul: 'bfloat16' }), /is for precision float32/);
  assert.match(message({ precision: 'bfloat16-stochastic', offload: true }), /has none/);
  assert.match(message({ lora: { rank: 2 }, emaDecay: 0.9 }), /there are none that are trained/);
  assert.match(message({ lora: { rank: 2 }, trainable: ['merger'] }), /among the trainable parts/);
  assert.match(message({ lora: { rnak: 2 } }), /rnak/);
});
