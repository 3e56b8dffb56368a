// Training of two ranks on a real Slurm: the losses of `--launch local:2`, also when the job is told to stop
// in the middle and goes on by itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type LocalSlurm, startSlurm, until, whyNoSlurm } from './local-slurm.ts';
import { endOf, lossesOf, prepareTraining, trainingArgs } from './tiny-training.ts';

const skip = whyNoSlurm() ?? false;
const STEPS = 60;
const root = mkdtempSync(join(tmpdir(), 'onevision-train-on-slurm-'));
let slurm: LocalSlurm;

before(async () => {
  if (skip !== false) return;
  slurm = await startSlurm();
  await prepareTraining(root, { steps: STEPS, saveEvery: 25 });
});
after(async () => {
  if (skip === false) await slurm.stop();
  rmSync(root, { recursive: true, force: true });
});

/** `onevision train` in a process of its own. @returns what it said */
function train(run: string, where: readonly string[]): Promise<string> {
  const env = { ...process.env, ...slurm.env, OMP_NUM_THREADS: '1' };
  return endOf(spawn(process.execPath, trainingArgs(root, run, where), { env }));
}

test('two ranks on Slurm, stopped and gone on, have the losses of local:2', { skip }, async () => {
  const local = await train('local', ['--launch', 'local:2']);
  assert.match(local, /exit code 0$/, local);
  assert.equal(lossesOf(root, 'local').size, STEPS, local);
  const job = train('slurm', ['--cluster', 'slurm', '--ranks-per-node', '2', '--time', '10']);
  await until(() => lossesOf(root, 'slurm').size > 2, 'the first losses', 120_000);
  const id = (await slurm.call('squeue', '--noheader', '--format=%i')).trim();
  await slurm.call('scancel', '--signal=USR2', '--batch', id);
  const ended = await job;
  assert.match(ended, /exit code 0$/, ended);
  assert.match(ended, /SIGUSR2: train saves and stops[\s\S]*back into the queue/);
  assert.deepEqual(lossesOf(root, 'slurm'), lossesOf(root, 'local'));
  assert.match(readFileSync(join(root, 'slurm', 'events.jsonl'), 'utf8'), /"resume"/);
});
