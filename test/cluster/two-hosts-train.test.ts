// Training of two ranks on two hosts of a network: the losses of `--launch local:2`; the cable cut in
// the middle is an error that names rank and collective, and the run goes on when it is mended.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './local-slurm.ts';
import { endOf, lossesOf, prepareTraining, trainingArgs } from './tiny-training.ts';
import { openTwoHosts, type TwoHosts, whyNoHosts } from './two-hosts.ts';

const skip = whyNoHosts() ?? false;
const STEPS = 24;
const SAVE_EVERY = 8;
const TIMEOUT_S = 15;
const root = mkdtempSync(join(tmpdir(), 'onevision-train-on-hosts-'));
const env = { ...process.env, OMP_NUM_THREADS: '1' };
let two: TwoHosts;

before(async () => {
  if (skip !== false) return;
  two = openTwoHosts();
  await prepareTraining(root, { steps: STEPS, saveEvery: SAVE_EVERY });
});
after(() => {
  if (skip === false) two.close();
  rmSync(root, { recursive: true, force: true });
});

/** Starts a rank on each host. @returns what each said when it has ended */
function trainOnHosts(run: string, port: string): Promise<string[]> {
  const args = trainingArgs(root, run, ['--rank-timeout', String(TIMEOUT_S)]);
  const ends = two.hosts.map((host, rank) => {
    const place = { RANK: `${rank}`, WORLD_SIZE: '2', LOCAL_RANK: '0', LOCAL_WORLD_SIZE: '1' };
    const at = { MASTER_ADDR: two.hosts[0].name, MASTER_PORT: port };
    return endOf(host.spawn(process.execPath, args, { env: { ...env, ...place, ...at } }));
  });
  return Promise.all(ends);
}

test('a cut cable is a named error within a minute, a mended one goes on', { skip }, async () => {
  const local = trainingArgs(root, 'local', ['--launch', 'local:2']);
  const alone = await endOf(spawn(process.execPath, local, { env }));
  assert.match(alone, /exit code 0$/, alone);
  assert.equal(lossesOf(root, 'local').size, STEPS, alone);

  const first = trainOnHosts('hosts', '29501');
  const checkpoint = join(
    root,
    'hosts',
    'checkpoints',
    `step-${String(SAVE_EVERY).padStart(6, '0')}`,
  );
  await until(() => existsSync(checkpoint), 'a checkpoint');
  two.cut();
  const cutAt = performance.now();
  const ends = await first;
  const seconds = (performance.now() - cutAt) / 1000;
  assert.ok(seconds < 60, `${seconds} s`);
  for (const [rank, said] of ends.entries()) {
    const expected = `error \\(parallel\\): rank ${rank}: expected [a-z-]+ \\d+ \\(.+\\) to end within`;
    assert.match(said, new RegExp(expected), said);
    assert.match(said, /exit code 7$/);
  }
  assert.ok(lossesOf(root, 'hosts').size < STEPS, 'cut before the end');

  two.mend();
  for (const said of await trainOnHosts('hosts', '29502')) assert.match(said, /exit code 0$/, said);
  assert.deepEqual(lossesOf(root, 'hosts'), lossesOf(root, 'local'));
  assert.match(readFileSync(join(root, 'hosts', 'events.jsonl'), 'utf8'), /"resume"/);
});
