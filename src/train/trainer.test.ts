// A tiny run through the trainer: what it writes, what it learns, what it refuses.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeReleasedPacks } from '../../test/support/released-packs.ts';
import { TINY_PROCESSOR } from '../../test/support/tiny-data.ts';
import {
  prepareTinyRun,
  runTiny,
  tinyModel,
  tinyStages,
  writeOtherTokenizer,
} from '../../test/support/tiny-run.ts';
import { OneVisionError } from '../core/errors.ts';
import { createLogger, silentLog } from '../core/log.ts';
import { loadCheckpoint } from '../model/checkpoint.ts';
import { adoptPacks } from '../pack/adopt.ts';
import { noGrad, setNumThreads, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { readEvents, readGenerated, readMetrics, readRunInfo } from '../track/read.ts';
import { Run } from '../track/run.ts';
import { TrainConfigSchema } from './config.ts';
import { prepareStages } from './stage.ts';
import { train } from './trainer.ts';

let dir = '';
before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'trainer-'));
  await prepareTinyRun(dir);
});
after(() => rmSync(dir, { recursive: true }));

test('a run writes metrics, events, samples, console lines and checkpoints that open', async () => {
  const lines: string[] = [];
  const terminal = {
    isTty: false,
    columns: 200,
    line: (text: string) => void lines.push(text),
    live: () => undefined,
  };
  using model = await runTiny(
    dir,
    'run',
    {},
    {
      log: createLogger(terminal, { level: 'info', json: false }),
      generate: {
        every: 7,
        rows: async () => [{ uid: 'a', prompt: 'What?', completion: 'It is red.' }],
      },
    },
  );
  const path = join(dir, 'run');
  const rows = await readMetrics(path);
  assert.deepEqual(
    rows.map((row) => [row.step, row.stage]),
    [
      [2, 'align'],
      [4, 'align'],
      [6, 'mid-train'],
      [8, 'mid-train'],
      [10, 'mid-train'],
      [12, 'mid-train'],
      [14, 'mid-train'],
    ],
  );
  const [first, last] = [rows[0], rows.at(-1)];
  assert.ok(first !== undefined && last !== undefined);
  assert.ok((last['train/loss'] ?? 9) < (first['train/loss'] ?? 0) - 0.3);
  assert.equal(last['train/loss_tiny'], last['train/loss']);
  assert.equal(last['data/mix_tiny'], 1);
  for (const name of [
    'perf/step_ms',
    'perf/data_wait_pct',
    'perf/forward_ms',
    'perf/backward_ms',
    'perf/optimizer_ms',
    'mem/peak_gib',
    'data/pack_fill',
  ] as const) {
    assert.ok(Number.isFinite(last[name]), name);
  }
  const parts =
    (last['perf/forward_ms'] ?? 0) +
    (last['perf/backward_ms'] ?? 0) +
    (last['perf/optimizer_ms'] ?? 0);
  assert.ok(parts <= (last['perf/step_ms'] ?? 0));
  assert.equal((await readGenerated(path, 7)).length, 1);
  assert.deepEqual(readdirSync(join(path, 'checkpoints')).sort(), [
    'step-000004',
    'step-000013',
    'step-000014',
  ]);
  assert.equal(lines.length, 7);
  assert.ok(
    lines.every((line) => line.indexOf('ETA') === lines[0]?.indexOf('ETA')),
    lines.join('\n'),
  );
  assert.equal(readRunInfo(path).status, 'done');
  const types = (await readEvents(path)).map((event) => event.type);
  assert.deepEqual(
    types.filter((type) => type.startsWith('stage')),
    ['stage-start', 'stage-end', 'stage-start', 'stage-end'],
  );
  const loaded = loadCheckpoint(join(path, 'checkpoints', 'step-000014'));
  assert.equal(loaded.processor.tokenizer.vocabSize, model.config.text.vocabSize);
  const [name = '', tensor] = [...model.namedParameters()][3] ?? [];
  assert.deepEqual(loaded.model.namedParameters().get(name)?.toArray(), tensor?.toArray());
  loaded.model[Symbol.dispose]();
});

test('a numeric failure names the step, leaves the last checkpoint and marks the run', async () => {
  await assert.rejects(
    runTiny(
      dir,
      'poisoned',
      {},
      {
        generate: {
          every: 6,
          rows: async (model) => {
            const weight = model.namedParameters().get('model.norm.weight');
            if (weight !== undefined)
              noGrad(() => tidy(() => void ops.mulScalar_(weight, Number.NaN)));
            return [];
          },
        },
      },
    ),
    (error) =>
      error instanceof OneVisionError &&
      error.code === 'numerics' &&
      /^step 7 \(mid-train\)/.test(error.message) &&
      /tiny-0-/.test(error.message),
  );
  assert.equal(readRunInfo(join(dir, 'poisoned')).status, 'failed');
  assert.deepEqual(readdirSync(join(dir, 'poisoned', 'checkpoints')).sort(), [
    'step-000003',
    'step-000004',
  ]);
});

test('packs that others released train where they lie', async () => {
  const foreign = join(dir, 'foreign');
  const tokenizer = join(dir, 'tokenizer');
  await writeReleasedPacks(join(dir, 'released'), join(dir, 'samples'), tokenizer);
  cpSync(tokenizer, join(foreign, 'tokenizer'), { recursive: true });
  const to = { input: join(dir, 'released'), output: join(foreign, 'packs'), tokenizer };
  await adoptPacks({ ...to, processor: TINY_PROCESSOR, workers: 1, log: silentLog });
  using _model = await runTiny(foreign, 'run', { packsPerStep: 1 });
  const rows = await readMetrics(join(foreign, 'run'));
  const losses = rows.map((row) => row['train/loss'] ?? 0);
  assert.ok(losses.length > 3 && (losses.at(-1) ?? 9) < (losses[0] ?? 0));
  assert.ok(rows.every((row) => (row['data/num_skipped'] ?? 0) === 0));
});

test('packs of another tokenizer are refused', async () => {
  const other = await writeOtherTokenizer(dir);
  using run = await Run.open(join(dir, 'other'));
  await assert.rejects(
    train({
      run,
      stages: tinyStages(dir),
      tokenizer: other,
      createModel: () => tinyModel(dir),
      modelHash: 'tiny-1',
      log: silentLog,
    }),
    (error) =>
      error instanceof OneVisionError && error.code === 'data' && /tokenizer/.test(error.message),
  );
});

test('wrong settings are errors that name the key', () => {
  const issues = (settings: object): string =>
    TrainConfigSchema.safeParse(settings).error?.message ?? '';
  assert.match(issues({ steps: 1, optimizer: { lr: 1 }, pacsPerStep: 2 }), /pacsPerStep/);
  assert.match(issues({ steps: 1, optimizer: { lr: 1, beta: 2 } }), /beta/);
  assert.match(issues({ steps: 1, optimizer: { lr: 1 }, trainable: ['head'] }), /trainable/);
  assert.match(
    issues({ steps: 1, optimizer: { lr: 1 }, augment: { '*': { rotate: 1 } } }),
    /rotate/,
  );
  assert.match(
    issues({ steps: 1, optimizer: { lr: 1 }, packsPerStep: 3, microBatchPacks: 2 }),
    /must divide packsPerStep/,
  );
});

test('phases share the steps of a stage; steps that do not add up are refused', () => {
  const [, stage] = tinyStages(dir);
  assert.ok(stage !== undefined);
  const packs = join(dir, 'packs');
  const prepared = prepareStages([{ ...stage, phases: [{ packs, steps: 4 }, { packs }] }], 'start');
  assert.equal(prepared.length, 1);
  const recipe = (error: unknown): boolean =>
    error instanceof OneVisionError && error.code === 'recipe';
  assert.throws(() => prepareStages([{ ...stage, phases: [{ packs, steps: 4 }] }], ''), recipe);
  assert.throws(() => prepareStages([{ ...stage, phases: [] }], ''), recipe);
  assert.throws(() => prepareStages([stage, stage], ''), recipe);
});
