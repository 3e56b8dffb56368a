// The run folder: what is written is read back, names are checked, resumes supersede, lines align.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import {
  formatStepLine,
  METRICS,
  type MetricName,
  Run,
  readEvents,
  readGenerated,
  readMetrics,
  readRunInfo,
} from './index.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'track-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a run folder is written and read back', async () => {
  const path = join(dir, 'demo');
  {
    using run = await Run.open(path, { about: { threads: 2 }, recipe: { seed: 7 } });
    run.logEvent('start');
    run.logMetrics(10, 'align', { 'train/loss': 2.5, 'train/loss_emoji': 2.25, 'perf/mfu': NaN });
    await run.writeGenerated(10, [{ uid: 'a', prompt: 'What?', completion: 'a cat' }]);
    await run.setStatus('done', { parameters: 12 });
  }
  const info = readRunInfo(path);
  assert.deepEqual([info.name, info.status], ['demo', 'done']);
  assert.deepEqual(info.about, { threads: 2, parameters: 12 });
  assert.deepEqual(JSON.parse(readFileSync(join(path, 'recipe.json'), 'utf8')), { seed: 7 });
  const [row, ...others] = await readMetrics(path);
  assert.equal(others.length, 0);
  const { time, ...rest } = row ?? { time: 0 };
  assert.ok(Math.abs(time - Date.now() / 1000) < 60);
  assert.deepEqual(rest, {
    step: 10,
    stage: 'align',
    'train/loss': 2.5,
    'train/loss_emoji': 2.25,
  });
  assert.deepEqual(
    (await readEvents(path)).map((event) => event.type),
    ['start'],
  );
  assert.equal((await readGenerated(path, 10))[0]?.completion, 'a cat');
  assert.deepEqual(await readGenerated(path, 20), []);
});

test('a run that is opened again keeps its birth and goes on writing', async () => {
  const path = join(dir, 'demo');
  (await Run.open(path, { about: { threads: 2 } })).close();
  const before = readRunInfo(path);
  (await Run.open(path)).close();
  const after = readRunInfo(path);
  assert.equal(after.createdAt, before.createdAt);
  assert.deepEqual(after.about, { threads: 2 });
});

test('rows after the step of a resume are superseded, torn lines never existed', async () => {
  const log = (run: Run, steps: readonly number[], loss: number): void => {
    for (const step of steps) run.logMetrics(step, 'align', { 'train/loss': loss });
  };
  {
    using run = await Run.open(dir);
    log(run, [1, 2, 3, 4, 5], 1);
  }
  appendFileSync(join(dir, 'metrics.jsonl'), '{"step":6,"sta');
  assert.deepEqual(
    (await readMetrics(dir)).map((row) => row.step),
    [1, 2, 3, 4, 5],
  );
  {
    using run = await Run.open(dir);
    run.logResume(3, 'align');
    assert.deepEqual(
      (await readMetrics(dir)).map((row) => row.step),
      [1, 2, 3],
    );
    log(run, [4, 5], 2);
  }
  const rows = await readMetrics(dir);
  assert.deepEqual(
    rows.map((row) => [row.step, row['train/loss']]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
      [5, 2],
    ],
  );
});

test('a metric outside of the list is refused by name', async () => {
  using run = await Run.open(dir);
  const unknown = { 'train/lss': 1 } as { [name in MetricName]?: number };
  assert.throws(
    () => run.logMetrics(1, 'align', unknown),
    (error) => error instanceof OneVisionError && /train\/lss/.test(error.message),
  );
});

test('a folder without a run is named', () => {
  assert.throws(
    () => readRunInfo(dir),
    (error) =>
      error instanceof OneVisionError && error.code === 'data' && /run\.json/.test(error.message),
  );
});

test('console lines have aligned columns', () => {
  const metrics = {
    'train/loss': 1.83214,
    'train/grad_norm': 0.841,
    'train/lr': 0.0029,
    'perf/tokens_per_s': 9812,
    'perf/images_per_s': 301.2,
    'perf/data_wait_pct': 0.42,
    'mem/peak_gib': 1.02,
  };
  const first = formatStepLine({
    stage: 'instruct',
    step: 20,
    totalSteps: 1600,
    metrics,
    etaS: 184,
  });
  const last = formatStepLine({
    stage: 'align',
    step: 1600,
    totalSteps: 1600,
    metrics: { ...metrics, 'train/loss': 11.5, 'perf/tokens_per_s': 120_400 },
    etaS: 184,
  });
  assert.equal(
    first,
    'instruct    20/1600  loss  1.8321  |g|   0.84  lr  2.9e-3   9.8k tok/s    301 img/s' +
      '  wait  0.4%  mem 1.02G  MFU n/a  ETA 3 m 04 s',
  );
  assert.equal(last.length, first.length);
});

test('docs/metrics.md lists every metric', () => {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  for (const name of Object.keys(METRICS)) assert.ok(text.includes(`\`${name}\``), name);
});
