// Training of two ranks on a real Slurm: the losses of `--launch local:2`, also when the job is told to stop
// in the middle and goes on by itself.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readJsonlSync } from '../../src/core/jsonl.ts';
import { prepareRankRun } from '../support/ranks-program.ts';
import { TINY_PROCESSOR } from '../support/tiny-data.ts';
import { type LocalSlurm, startSlurm, until, whyNoSlurm } from './local-slurm.ts';

const skip = whyNoSlurm() ?? false;
const STEPS = 60;
const root = mkdtempSync(join(tmpdir(), 'onevision-train-on-slurm-'));
let slurm: LocalSlurm;

before(async () => {
  if (skip !== false) return;
  slurm = await startSlurm();
  await prepareRankRun(root);
  const stage = (steps: number): object => ({
    phases: [{ packs: join(root, 'small-packs') }],
    train: {
      steps,
      packsPerStep: 2,
      logEvery: 1,
      saveEvery: 25,
      workers: 0,
      optimizer: { lr: 1e-3 },
    },
  });
  const recipe = {
    name: 'tiny',
    model: { width: 32, headDim: 16, visionLayers: 1, textLayers: 1 },
    tokenizer: { vocabSize: 300 },
    processor: TINY_PROCESSOR,
    stages: { align: stage(STEPS), 'mid-train': stage(1), instruct: stage(1) },
  };
  writeFileSync(join(root, 'recipe.mjs'), `export default ${JSON.stringify(recipe)};\n`);
});
after(async () => {
  if (skip === false) await slurm.stop();
  rmSync(root, { recursive: true, force: true });
});

/** `onevision train` in a process of its own. */
function train(
  run: string,
  where: readonly string[],
): { child: ChildProcess; end: Promise<string> } {
  cpSync(join(root, 'tokenizer'), join(root, run, 'data', 'tokenizer'), { recursive: true });
  const flags = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'train'];
  const recipe = ['--recipe', join(root, 'recipe.mjs'), '--run', join(root, run)];
  const args = [...flags, ...recipe, '--stage', 'align', ...where];
  const env = { ...process.env, ...slurm.env, OMP_NUM_THREADS: '1' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const end = new Promise<string>((resolve) => {
    child.once('close', (code) => resolve(`${output}\nexit code ${code}`));
  });
  return { child, end };
}

/** Step → loss, in full. */
function losses(run: string): unknown[] {
  const path = join(root, run, 'metrics.jsonl');
  const rows = (existsSync(path) ? readJsonlSync(path) : []) as Record<string, unknown>[];
  return rows
    .filter((row) => row['train/loss'] !== undefined)
    .map((row) => [row['step'], row['train/loss']]);
}

test('two ranks on Slurm, stopped and gone on, have the losses of local:2', { skip }, async () => {
  const local = await train('local', ['--launch', 'local:2']).end;
  assert.match(local, /exit code 0$/, local);
  assert.equal(losses('local').length, STEPS, local);
  const job = train('slurm', ['--cluster', 'slurm', '--ranks-per-node', '2', '--time', '10']);
  await until(() => losses('slurm').length > 2, 'the first losses', 120_000);
  const id = (await slurm.call('squeue', '--noheader', '--format=%i')).trim();
  await slurm.call('scancel', '--signal=USR2', '--batch', id);
  const ended = await job.end;
  assert.match(ended, /exit code 0$/, ended);
  assert.match(ended, /SIGUSR2: train saves and stops[\s\S]*back into the queue/);
  assert.deepEqual(losses('slurm'), losses('local'));
  assert.match(readFileSync(join(root, 'slurm', 'events.jsonl'), 'utf8'), /"resume"/);
});
