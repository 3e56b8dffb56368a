// The recipe of LLaVA-OneVision-1.5-4B with its sizes made tiny: from a model folder and released packs
// through all three stages, and what it is said to take before.
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { planRecipe } from '../../src/cli/plan/plan-recipe.ts';
import { formatPlan } from '../../src/cli/plan/show-plan.ts';
import { lastCheckpoint, trainRun } from '../../src/cli/train-run.ts';
import { silentLog } from '../../src/core/log.ts';
import { loadConfig, saveCheckpoint } from '../../src/model/checkpoint.ts';
import { loadRecipe } from '../../src/recipe.ts';
import { readManifest } from '../../src/sample/manifest.ts';
import { setNumThreads } from '../../src/tensor/index.ts';
import { loadTokenizer } from '../../src/text/tokenizer.ts';
import { readGenerated, readMetrics } from '../../src/track/read.ts';
import { findGpu, type Gpu } from '../../src/train/price/gpus.ts';
import { writeReleasedPacks } from '../support/released-packs.ts';
import { TINY_PROCESSOR } from '../support/tiny-data.ts';
import { prepareTinyRun, tinyModel } from '../support/tiny-run.ts';

const RECIPE = 'recipes/llava-onevision-1.5-4b.ts';
let dir = '';
before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'released-recipe-'));
  await prepareTinyRun(dir);
  const tokenizer = join(dir, 'tokenizer');
  await writeReleasedPacks(join(dir, 'released'), join(dir, 'samples'), tokenizer);
  using model = tinyModel(dir);
  const companions = { tokenizer: loadTokenizer(tokenizer), image: TINY_PROCESSOR };
  await saveCheckpoint(join(dir, 'stage0'), model, companions);
});
after(() => rmSync(dir, { recursive: true }));

function overrides(): string[] {
  const set = (stage: string, steps: number, packs: unknown): string[] => [
    `stages.${stage}.phases=${JSON.stringify([{ packs }])}`,
    ...[`steps=${steps}`, 'packsPerStep=2', 'workers=0', 'logEvery=1'].map(
      (setting) => `stages.${stage}.train.${setting}`,
    ),
  ];
  const [released, ours] = [join(dir, 'released'), join(dir, 'packs')];
  return [
    `model.from=${join(dir, 'stage0')}`,
    `processor=${JSON.stringify(TINY_PROCESSOR)}`,
    'pack.maxTokens=256',
    'sinks=["tensorboard"]',
    'samples={"every":5,"prompts":[{"text":"What colour is this?"}],"maxNewTokens":3}',
    'pack.maxPatches=512',
    ...set('align', 3, released),
    ...set('mid-train', 4, [
      { from: released, weight: 3 },
      { from: ours, weight: 1 },
    ]),
    ...set('instruct', 3, ours),
  ];
}

test('all three stages train on released packs and our own, and a second start has nothing to do', async () => {
  const recipe = await loadRecipe(RECIPE, overrides());
  const run = join(dir, 'run');
  const context = { recipe, dir: run, log: silentLog };
  await trainRun(context, 'align');
  assert.match(await lastCheckpoint(run), /step-000003$/);
  await trainRun(context);
  const checkpoint = await lastCheckpoint(run);
  assert.match(checkpoint, /step-000010$/);
  assert.deepEqual(loadConfig(checkpoint).text, loadConfig(join(dir, 'stage0')).text);
  const rows = await readMetrics(run);
  assert.deepEqual(
    rows.map(({ stage }) => stage),
    ['align', 'mid-train', 'instruct'].flatMap((stage, i) => new Array([3, 4, 3][i]).fill(stage)),
  );
  for (const row of rows) assert.ok((row['train/loss'] ?? Number.NaN) > 0);
  assert.equal(readManifest(join(run, 'packs', 'align-1')).stage, 'adopt');
  assert.equal(globSync('tensorboard/events.out.tfevents.*', { cwd: run }).length, 2);
  const asked = await Promise.all([5, 10].map((step) => readGenerated(run, step)));
  assert.deepEqual(
    asked.flat().map(({ prompt }) => prompt),
    ['What colour is this?', 'What colour is this?'],
  );
  assert.ok(!existsSync(join(run, 'packs', 'instruct-1')), 'packs of ours are read where they lie');
  await trainRun(context);
  assert.equal((await readMetrics(run)).length, rows.length);

  const gpu = findGpu('h100') as Gpu;
  const plan = await planRecipe(context, { cluster: { gpu, numGpus: 1, pricePerHour: 1 } });
  assert.deepEqual(
    plan.stages.map(({ packs }) => packs),
    [6, 8, 6],
  );
  assert.ok(plan.assumptions.every((line) => !line.includes('not there yet')));
  assert.match(formatPlan(plan), /mid-train +4 +8/);
});

test('a model folder that is not there is named, with the command that makes it', async () => {
  const recipe = await loadRecipe(RECIPE, [...overrides(), `model.from=${join(dir, 'none')}`]);
  await assert.rejects(trainRun({ recipe, dir: join(dir, 'other'), log: silentLog }), {
    code: 'checkpoint',
    message: /none/,
    hint: /convert merge/,
  });
});

test('without its data the recipe as written is planned from what is published', async () => {
  const published = { '4b': 20_000 * 16 * 8192, '8b': 70_000 * 112 * 8192 };
  for (const [size, tokens] of Object.entries(published)) {
    const recipe = await loadRecipe(`recipes/llava-onevision-1.5-${size}.ts`);
    const gpu = findGpu('h100') as Gpu;
    const cluster = { gpu, numGpus: 8, pricePerHour: 2.5 };
    const plan = await planRecipe({ recipe, dir: join(dir, size), log: silentLog }, { cluster });
    assert.ok(plan.assumptions.some((line) => line.includes('not there yet')));
    assert.ok(Math.abs((plan.stages[1]?.work.tokens ?? 0) / tokens - 1) < 1e-9);
    const dollars = plan.stages.reduce((sum, { cost }) => sum + cost.gpuHours * 2.5, 0);
    assert.ok(Math.abs(dollars / plan.total.dollars - 1) < 1e-9);
  }
});
