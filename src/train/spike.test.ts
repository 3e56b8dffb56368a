// A run whose learning rate grows until it diverges: the step that stands out is recorded, or ends the
// run, with its samples and the last checkpoint.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareTinyRun, runTiny } from '../../test/support/tiny-run.ts';
import { setNumThreads } from '../tensor/index.ts';
import { readEvents } from '../track/read.ts';

let dir = '';
before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'spike-'));
  await prepareTinyRun(dir);
});
after(() => rmSync(dir, { recursive: true }));

const DIVERGES = {
  steps: 30,
  packsPerStep: 1,
  saveEvery: 10,
  optimizer: { lr: 20, warmup: 1, clip: 0 },
  onNumerics: 'skip',
  maxSkipRate: 1,
} as const;

test('recorded: the run goes on, the event names samples and the last checkpoint', async () => {
  (await runTiny(dir, 'record', DIVERGES))[Symbol.dispose]();
  const events = await readEvents(join(dir, 'record'));
  const found = events.find(({ message }) => message?.startsWith('stands out: '));
  assert.match(found?.message ?? '', /(loss|gradient norm) \S+ above \S+; samples of highest/);
  assert.match(found?.message ?? '', /tiny-0-\d+.*; last checkpoint step-\d{6}$/);
});

test('stop: the run ends before the step has changed a weight', async () => {
  await assert.rejects(runTiny(dir, 'stop', { ...DIVERGES, onSpike: 'stop' }), {
    code: 'numerics',
    message: /^step \d+ .*like those before/,
  });
});

test('rewind: it goes back to the last checkpoint', async () => {
  const rewind = { ...DIVERGES, onSpike: 'rewind' } as const;
  await runTiny(dir, 'rewind', rewind).then(
    (model) => model[Symbol.dispose](),
    // A learning rate that only grows cannot be helped for ever.
    (error: Error) => assert.match(error.message, /like those before/),
  );
  const events = await readEvents(join(dir, 'rewind'));
  assert.ok(events.some(({ message }) => /went back to the weights/.test(message ?? '')));
});
