// Options of clusters: command line before recipe, wrong ones named, a dry run that sends nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runOnCluster, slurmConfig } from './cluster-options.ts';

const dir = mkdtempSync(join(tmpdir(), 'onevision-cluster-options-'));
after(() => rmSync(dir, { recursive: true, force: true }));

test('the command line comes before the recipe', () => {
  const recipe = { partition: 'cpu', time: '60', sbatch: { constraint: 'ib', nice: '5' } };
  const config = slurmConfig({ time: '10', sbatch: ['nice=100', '--exclusive'] }, recipe);
  assert.deepEqual(config, {
    partition: 'cpu',
    time: '10',
    tasks: 64,
    graceSeconds: 120,
    sbatch: { constraint: 'ib', nice: '100', exclusive: '' },
  });
});

test('wrong options are named, with what was expected', () => {
  assert.throws(() => slurmConfig({ time: 'soon' }), /expected a time as 30.*\n.*at time/);
  assert.throws(
    () => slurmConfig({ sbatch: ['wrap=rm'] }),
    /sets this option itself\n.*sbatch.wrap/,
  );
});

test('options of clusters without --cluster are refused', async () => {
  const sending = { what: 'curate', jobs: join(dir, 'jobs') };
  const work = (): Promise<void> => Promise.reject(new Error('it ran'));
  await assert.rejects(runOnCluster({ tasks: 3 }, sending, work), /--cluster slurm beside --tasks/);
  await assert.rejects(runOnCluster({ dryRun: true }, sending, work), /beside --dry-run/);
});

function onevision(
  args: readonly string[],
  path: string,
): { status: number | null; output: string } {
  const env = { ...process.env, PATH: path };
  const flags = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, ...args], {
    encoding: 'utf8',
    env,
  });
  return { status, output: stdout + stderr };
}

test('a dry run prints the script of a training job, and sends and writes nothing', () => {
  const run = join(dir, 'run');
  const size = ['--nodes', '2', '--ranks-per-node', '8', '--gpus', '8', '--time', '1-0'];
  const args = ['train', '--run', run, '--cluster', 'slurm', ...size];
  const dry = onevision([...args, '--dry-run'], '');
  assert.equal(dry.status, 0, dry.output);
  assert.match(dry.output, /^#!\/bin\/bash\n/);
  for (const line of ['--nodes=2', '--ntasks-per-node=8', '--gpus-per-node=8', '--time=1-0']) {
    assert.ok(dry.output.includes(`\n#SBATCH ${line}\n`), line);
  }
  assert.ok(!existsSync(run));
  const wet = onevision(args, '');
  assert.equal(wet.status, 2);
  assert.match(
    wet.output,
    /error \(usage\): expected Slurm here, came no command squeue\n {2}hint/,
  );
});
