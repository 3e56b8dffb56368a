// Checkpoint folders: whole or absent, verified, pruned; a full disk leaves the older ones.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { OneVisionError } from '../../core/errors.ts';
import {
  findCheckpoint,
  pruneCheckpoints,
  saveCheckpointFolder,
  sweepCheckpoints,
  type TrainState,
} from './checkpoints.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'checkpoints-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function stateAt(step: number): TrainState {
  return {
    format: 'onevision-state/1',
    step,
    stage: step <= 4 ? 'align' : 'mid-train',
    stageStep: step <= 4 ? step : step - 4,
    stageSteps: step <= 4 ? 4 : 10,
    historyHash: 'h',
    tokens: 10 * step,
    numSkipped: 0,
    window: { tiny: { sum: 0.1, weight: 3, tokens: 9 } },
  };
}

async function save(step: number): Promise<void> {
  await saveCheckpointFolder(dir, stateAt(step), async (folder) => {
    writeFileSync(join(folder, 'model.safetensors'), `weights of ${step}`);
    return undefined;
  });
}

const find = async (): Promise<[number | undefined, string[]]> => {
  const torn: string[] = [];
  const found = await findCheckpoint(dir, (folder, reason) => {
    torn.push(`${folder.slice(dir.length + 1)}: ${reason}`);
  });
  return [found?.state.step, torn];
};

test('the newest whole checkpoint is found with its state', async () => {
  assert.deepEqual(await find(), [undefined, []]);
  await save(2);
  await save(1000);
  await save(12);
  assert.deepEqual(await find(), [1000, []]);
  const found = await findCheckpoint(dir, () => undefined);
  assert.deepEqual(found?.state, stateAt(1000));
});

test('every kind of damage is passed over and named', async () => {
  for (const step of [1, 2, 3, 5, 6]) await save(step);
  appendFileSync(join(dir, 'step-000006/model.safetensors'), 'x');
  writeFileSync(join(dir, 'step-000005/model.safetensors'), 'weights of 9');
  rmSync(join(dir, 'step-000003/model.safetensors'));
  writeFileSync(join(dir, 'step-000002/state.json'), '{"format":');
  const [step, torn] = await find();
  assert.equal(step, 1);
  assert.equal(torn.length, 4);
  assert.match(torn[0] ?? '', /step-000006.*13 of 12 bytes/);
  assert.match(torn[2] ?? '', /step-000003.*no file/);
  assert.match(torn[3] ?? '', /step-000002.*JSON/);
});

test('pruning keeps the newest, the last of each stage and milestones', async () => {
  for (const step of [2, 4, 6, 8, 10]) await save(step);
  await pruneCheckpoints(dir, { keepLast: 2, keepEvery: 3 });
  const left = ['step-000004', 'step-000006', 'step-000008', 'step-000010'];
  assert.deepEqual(readdirSync(dir).sort(), left);
  await pruneCheckpoints(dir, { keepLast: 1, keepEvery: 0 });
  assert.deepEqual(readdirSync(dir).sort(), ['step-000004', 'step-000010']);
});

test('a full disk is named and leaves the older checkpoints', async () => {
  await save(2);
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  await assert.rejects(
    saveCheckpointFolder(dir, stateAt(4), () => Promise.reject(full)),
    (error) =>
      error instanceof OneVisionError && error.code === 'disk' && /step-000004/.test(error.message),
  );
  assert.deepEqual(readdirSync(dir), ['step-000002']);
});

test('what a killed writer left is swept', async () => {
  mkdirSync(join(dir, '.step-000002.77.tmp'));
  await save(2);
  await sweepCheckpoints(dir);
  assert.deepEqual(readdirSync(dir), ['step-000002']);
});
