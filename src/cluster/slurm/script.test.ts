// Batch scripts, word by word, and what may not stand in one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { OneVisionError } from '../../core/errors.ts';
import { type SlurmInput, slurmSchema } from './config.ts';
import { batchScript, ranges } from './script.ts';

const resources: SlurmInput = {
  partition: 'gpu',
  account: 'vision',
  time: '1-12:00:00',
  cpus: 8,
  mem: '64G',
  gpus: 'a100:4',
  graceSeconds: 300,
  sbatch: { constraint: 'ib&nvme', exclusive: '' },
};

test('an array job in full', () => {
  const plan = {
    name: 'onevision-survey-0123456789',
    log: '/data/my set/work/logs/rank-%4a.log',
    array: [0, 1, 2, 5],
    command: ['/usr/bin/node', 'main.ts', "/data/my set's/work", '64'],
  };
  assert.equal(
    batchScript(plan, slurmSchema.parse(resources)),
    `#!/bin/bash
# Written by onevision.
#SBATCH --job-name=onevision-survey-0123456789
#SBATCH --array=0-2,5
#SBATCH --output="/data/my set/work/logs/rank-%4a.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR2@300
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --partition=gpu
#SBATCH --account=vision
#SBATCH --time=1-12:00:00
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G
#SBATCH --gpus-per-node=a100:4
#SBATCH --constraint="ib&nvme"
#SBATCH --exclusive
exec '/usr/bin/node' 'main.ts' '/data/my set'\\''s/work' '64'
`,
  );
});

test('a training job asks for ranks and waits for other jobs', () => {
  const plan = {
    name: 'onevision-train-0123456789',
    log: '/runs/a/jobs/train/job.log',
    ranks: { nodes: 4, perNode: 8 },
    after: ['12', '13'],
    command: ['node'],
  };
  assert.equal(
    batchScript(plan, slurmSchema.parse({})),
    `#!/bin/bash
# Written by onevision.
#SBATCH --job-name=onevision-train-0123456789
#SBATCH --dependency=afterok:12:13
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --output=/runs/a/jobs/train/job.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR2@120
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
exec 'node'
`,
  );
});

test('bash reads back every word as it was', () => {
  const words = ["it's", '$HOME `id` $(id)', 'a\nb', '"quoted" \\ back', '', '-n', '*'];
  const plan = { name: 'n', log: '/l', command: ['printf', '%s\\0', ...words] };
  const output = execFileSync('bash', ['-s'], { input: batchScript(plan, slurmSchema.parse({})) });
  assert.deepEqual(output.toString().split('\0').slice(0, -1), words);
});

test('the length of an array does not change with the number of shards', () => {
  assert.equal(ranges(Array.from({ length: 64 }, (_, i) => i)), '0-63');
  assert.equal(ranges([7]), '7');
  assert.equal(ranges([0, 2, 3, 9]), '0,2-3,9');
});

test('folders that Slurm would read otherwise are refused', () => {
  for (const folder of ['/a"b', "/it's", '/100%a', '/a\\b', '/a\nb']) {
    const plan = { name: 'n', log: `${folder}/job.log`, command: ['node'] };
    assert.throws(
      () => batchScript(plan, slurmSchema.parse({})),
      (error: unknown) => error instanceof OneVisionError && error.code === 'usage',
      folder,
    );
  }
});

test('wrong resources are named', () => {
  const wrong: [SlurmInput, RegExp][] = [
    [{ time: 'tomorrow' }, /expected a time/],
    [{ mem: '8 GB' }, /expected a size/],
    [{ gpus: 'many' }, /expected a number as 8 or a100:4/],
    [{ partition: 'a\n#SBATCH --array=1' }, /one line without quotes/],
    [{ sbatch: { constraint: 'a"b' } }, /one line without quotes/],
    [{ sbatch: { array: '0-3' } }, /the script sets this option itself/],
    [{ sbatch: { 'a b': '1' } }, /long name of an option/],
    [{ tasks: 0 }, /tasks/],
  ];
  for (const [input, message] of wrong) {
    const { error } = slurmSchema.safeParse(input);
    assert.match(JSON.stringify(error?.issues), message, JSON.stringify(input));
  }
});
