// Stops of every kind: killed, interrupted, torn. The final weights must be those of an
// uninterrupted run, to the bit.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepareTinyRun, runTiny, type TinyChanges } from '../../test/support/tiny-run.ts';
import { OneVisionError } from '../core/errors.ts';
import { createRandom, sha256Hex } from '../core/hash.ts';
import { setNumThreads } from '../tensor/index.ts';
import { readEvents, readMetrics, readRunInfo } from '../track/read.ts';

const PROGRAM = fileURLToPath(new URL('../../test/support/tiny-run.ts', import.meta.url));
const LAST = 'checkpoints/step-000014';
let dir = '';
let expected = '';

before(async () => {
  setNumThreads(1);
  dir = mkdtempSync(join(tmpdir(), 'train-'));
  await prepareTinyRun(dir);
  (await runTiny(dir, 'whole'))[Symbol.dispose]();
  expected = weightsOf('whole');
});
after(() => rmSync(dir, { recursive: true }));

function weightsOf(run: string): string {
  const hash = (name: string): string => sha256Hex(readFileSync(join(dir, run, LAST, name)));
  return hash('model.safetensors') + hash('optimizer.safetensors');
}

/** Metrics without times: what must not depend on interruptions. */
async function lossesOf(run: string): Promise<unknown[]> {
  const rows = await readMetrics(join(dir, run));
  return rows.map((row) => [row.step, row['train/loss'], row['train/grad_norm'], row['train/lr']]);
}

/** Runs the tiny recipe in a process of its own and sends it a signal after some steps. */
function runChild(
  run: string,
  stop:
    | { readonly after: number; readonly delayMs?: number; readonly signal: NodeJS.Signals }
    | undefined,
  changes: TinyChanges = {},
): Promise<number | NodeJS.Signals | null> {
  const child = spawn(process.execPath, [PROGRAM, dir, run, JSON.stringify(changes)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let numSteps = 0;
  let sent = false;
  child.stdout.on('data', (chunk: Buffer) => {
    numSteps += chunk.toString().split('\n').length - 1;
    if (stop === undefined || sent || numSteps < stop.after) return;
    sent = true;
    setTimeout(() => child.kill(stop.signal), stop.delayMs ?? 0);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ?? code));
  });
}

test('killed at 20 random points, the run ends with the same weights and losses', async () => {
  // Points are steps and moments after them: within a step, and while a checkpoint is written.
  const random = createRandom('kills', 4);
  let kills = 0;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const stop = { after: 1 + random.int(3), delayMs: random.int(30), signal: 'SIGKILL' } as const;
    if ((await runChild('killed', stop)) === 'SIGKILL') kills += 1;
  }
  assert.ok(kills >= 4);
  assert.equal(await runChild('killed', undefined), 0);
  assert.equal(weightsOf('killed'), expected);
  assert.deepEqual(await lossesOf('killed'), await lossesOf('whole'));
});

test('one SIGINT or SIGTERM finishes the step, saves, and the run goes on from there', async () => {
  // Saved only at the end of a stage, so that the checkpoint must come from the signal.
  await runChild('stopped', { after: 6, signal: 'SIGTERM' }, { saveEvery: 1000 });
  assert.equal(readRunInfo(join(dir, 'stopped')).status, 'interrupted');
  await runChild('stopped', { after: 2, signal: 'SIGINT' }, { saveEvery: 1000 });
  assert.equal(readRunInfo(join(dir, 'stopped')).status, 'interrupted');
  const saved = readdirSync(join(dir, 'stopped', 'checkpoints'));
  assert.ok(
    saved.some((name) => Number(name.slice(5)) >= 7),
    saved.join(),
  );
  (await runTiny(dir, 'stopped'))[Symbol.dispose]();
  assert.equal(weightsOf('stopped'), expected);
});

test('a torn newest checkpoint falls back to the one before', async () => {
  cpSync(join(dir, 'whole'), join(dir, 'torn'), { recursive: true });
  rmSync(join(dir, 'torn', LAST), { recursive: true });
  const before = readdirSync(join(dir, 'torn', 'checkpoints')).sort();
  assert.deepEqual(before, ['step-000004', 'step-000013']);
  truncateSync(join(dir, 'torn', 'checkpoints/step-000013/model.safetensors'), 5000);
  (await runTiny(dir, 'torn'))[Symbol.dispose]();
  assert.equal(weightsOf('torn'), expected);
  const warnings = (await readEvents(join(dir, 'torn'))).filter(({ type }) => type === 'warning');
  assert.match(warnings[0]?.message ?? '', /step-000013.*model\.safetensors/);
});

test('a finished run is not trained again', async () => {
  const steps: number[] = [];
  const model = await runTiny(dir, 'whole', {}, { onStep: (step) => steps.push(step) });
  model[Symbol.dispose]();
  assert.deepEqual(steps, []);
});

test('a run begun with other settings is refused by name', async () => {
  await assert.rejects(
    runTiny(dir, 'whole', { seed: 5 }),
    (error) =>
      error instanceof OneVisionError &&
      error.code === 'checkpoint' &&
      /other settings/.test(error.message),
  );
  assert.equal(readRunInfo(join(dir, 'whole')).status, 'failed');
});

test('settings that change no weight may change between runs', async () => {
  cpSync(join(dir, 'whole'), join(dir, 'other'), { recursive: true });
  rmSync(join(dir, 'other', LAST), { recursive: true });
  (await runTiny(dir, 'other', { workers: 1, saveEvery: 50, logEvery: 1 }))[Symbol.dispose]();
  assert.equal(weightsOf('other'), expected);
});
