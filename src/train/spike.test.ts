// A run with one step whose loss stands out: it is recorded, ends the run, or takes it back to the last
// checkpoint.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareTinyRun, runTiny, tinyModel } from '../../test/support/tiny-run.ts';
import { setNumThreads, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { readEvents } from '../track/read.ts';
import type { TrainOptions } from './train-options.ts';

let dir = '';
before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'spike-'));
  await prepareTinyRun(dir);
});
after(() => rmSync(dir, { recursive: true }));

const CALM = { steps: 30, packsPerStep: 1, saveEvery: 10, maxSkipRate: 1 } as const;

/** A model whose loss is twenty times too large in the step after one, once. */
function spikeAfter(step: number): Pick<TrainOptions, 'createModel' | 'onStep'> {
  let isNext = false;
  return {
    createModel: () => {
      const model = tinyModel(dir);
      const loss = model.loss.bind(model);
      model.loss = (batch, options) => {
        const made = loss(batch, options);
        if (!isNext) return made;
        isNext = false;
        const [lossSum, losses] = [made.lossSum, made.losses].map((x) => ops.mulScalar(x, 20));
        return { ...made, lossSum: lossSum as Tensor, losses: losses as Tensor };
      };
      return model;
    },
    onStep: (done) => {
      isNext = done === step;
    },
  };
}

test('recorded: the run goes on, the event names samples and the last checkpoint', async () => {
  (await runTiny(dir, 'record', CALM, spikeAfter(24)))[Symbol.dispose]();
  const events = await readEvents(join(dir, 'record'));
  const found = events.find(({ message }) => message?.startsWith('stands out: '));
  assert.match(found?.message ?? '', /(loss|gradient norm) \S+ above \S+; samples of highest/);
  assert.match(found?.message ?? '', /tiny-0-\d+.*; last checkpoint step-\d{6}$/);
});

test('stop: the run ends before the step has changed a weight', async () => {
  await assert.rejects(runTiny(dir, 'stop', { ...CALM, onSpike: 'stop' }, spikeAfter(24)), {
    code: 'numerics',
    message: /^step 25 .*like those before/,
  });
});

test('rewind: it goes back to the last checkpoint', async () => {
  const rewind = { ...CALM, onSpike: 'rewind' } as const;
  (await runTiny(dir, 'rewind', rewind, spikeAfter(24)))[Symbol.dispose]();
  const events = await readEvents(join(dir, 'rewind'));
  assert.ok(events.some(({ message }) => /went back to the weights/.test(message ?? '')));
});
