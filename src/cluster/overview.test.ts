// What `onevision jobs` tells: progress and failures from folders, states from a queue.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog as log } from '../core/log.ts';
import { overview } from './overview.ts';
import { runShards } from './run-shards.ts';
import { ARRAY_FILE, jobName } from './slurm/array-cluster.ts';
import { errorLine } from './slurm/job/error-line.ts';
import { JOB_END, JOB_FILE, JOB_LOG } from './slurm/job/job-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-overview-'));
after(() => rmSync(root, { recursive: true }));

const module = new URL('./testing-task.ts', import.meta.url).href;
const shards = ['a', 'b', 'c', 'd'];

test('pieces of work: progress, failed shards, states of the queue', async () => {
  const dir = join(root, 'data', '.work-1');
  const config = { output: root, fails: ['b'] };
  await assert.rejects(runShards({ name: 'shout', module, config, shards }, { dir, log }));
  const name = jobName('shout', dir);
  const script = join(dir, 'array.sh');
  const task = { name, script, reason: 'None' };
  const queue = [
    { ...task, id: '7_0', state: 'RUNNING' },
    { ...task, id: '7_1', state: 'PENDING', reason: 'Resources' },
    { ...task, id: '9', name: 'of another', state: 'RUNNING' },
  ];
  // The folder is found by itself, and once more through the queue.
  for (const folders of [[root], []]) {
    const [state, ...others] = overview(folders, queue);
    assert.equal(others.length, 0);
    assert.ok(state?.kind === 'shards');
    assert.deepEqual([state.done, state.shards], [3, 4]);
    assert.ok((state.secondsPerShard ?? -1) >= 0);
    const states = { RUNNING: 1, PENDING: 1 };
    assert.deepEqual(state.queued, { ids: ['7'], states, reasons: ['Resources'] });
    assert.deepEqual(state.failures, [{ where: 'b (rank 0)', message: 'no bread for b' }]);
  }
});

test('a rank that ended without a word is named with the end of its log', () => {
  const dir = join(root, 'dead', 'work');
  mkdirSync(join(dir, 'logs'), { recursive: true });
  writeFileSync(
    join(dir, 'task.json'),
    JSON.stringify({ name: 'shout', module, config: {}, shards }),
  );
  writeFileSync(join(dir, ARRAY_FILE), JSON.stringify({ id: '7', world: 2 }));
  const killed = 'start\nslurmstepd: error: Detected 1 oom_kill event in StepId=7.batch\n';
  writeFileSync(join(dir, 'logs', 'rank-0001.log'), killed);
  const [state] = overview([join(root, 'dead')], []);
  assert.deepEqual(state?.failures, [
    { where: 'rank 0', message: 'ended without a word' },
    { where: 'rank 1', message: 'slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch' },
  ]);
});

test('command jobs: under way, ended, gone', () => {
  const dir = join(root, 'run', 'jobs', 'train');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, JOB_FILE), JSON.stringify({ what: 'train', argv: ['main.ts'] }));
  writeFileSync(join(dir, JOB_LOG), 'step 1\nstep 2\n');
  const folders = [join(root, 'run')];
  const job = { id: '8', name: jobName('train', dir), script: '', state: 'RUNNING', reason: '' };
  const [running] = overview(folders, [job]);
  assert.ok(running?.kind === 'command');
  assert.deepEqual([running.lastLine, running.code, running.failures], ['step 2', undefined, []]);
  const [gone] = overview(folders, []);
  assert.deepEqual(gone?.failures, [{ where: 'train', message: 'step 2' }]);
  writeFileSync(join(dir, JOB_END), JSON.stringify({ code: 6, message: 'loss is NaN' }));
  const [ended] = overview(folders, []);
  assert.ok(ended?.kind === 'command');
  assert.deepEqual([ended.code, ended.failures[0]?.message], [6, 'loss is NaN']);
});

test('the line that says why, among what others print after it', () => {
  const slurm = [
    'srun: error: node-1: task 1: Exited with exit code 4',
    'slurmstepd: error: *** STEP 3.0 ON node-1 CANCELLED AT 2026-01-01T00:00:00 ***',
    'srun: Job step aborted: Waiting up to 32 seconds for job step to finish.',
  ];
  const lines = ['step 1', 'error (data): no packs', '  hint: pack first', ...slurm, ''];
  assert.equal(errorLine(lines.join('\n')), 'error (data): no packs');
  assert.equal(
    errorLine('TypeError: x is not a function\n    at f (a.ts:1:1)\n'),
    'TypeError: x is not a function',
  );
  assert.equal(errorLine('all is well\n\n'), 'all is well');
  assert.equal(errorLine(''), '');
});
