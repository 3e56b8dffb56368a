// The demo from end to end as a real process: once in peace, once killed again and again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createRandom, sha256Hex } from '../../src/core/hash.ts';
import { readResults } from '../../src/eval/index.ts';
import { hasPackage } from '../../src/sample/corpus/packages.ts';
import { LEDGER, readLedger } from '../../src/sample/ledger.ts';
import { readManifest } from '../../src/sample/manifest.ts';

const skip = hasPackage('@twemoji/svg') ? false : 'the corpus packages are absent: npm run setup';
const root = mkdtempSync(join(tmpdir(), 'onevision-demo-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the short demo in a process of its own; `killAfterMs` sends SIGKILL. */
function demo(run: string, killAfterMs?: number): Promise<Ended> {
  const args = ['src/cli/main.ts', 'demo', '--recipe', 'test/e2e/short-recipe.ts', '--run', run];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

/** Hash of the last checkpoint's weights. */
function weightsOf(run: string): string {
  const checkpoints = join(run, 'checkpoints');
  const last = readdirSync(checkpoints).sort().at(-1) ?? '';
  return sha256Hex(readFileSync(join(checkpoints, last, 'model.safetensors')));
}

test('the demo ends in a results table, and in the same weights after kill -9', {
  skip,
}, async (t) => {
  const peaceful = join(root, 'peaceful');
  const started = performance.now();
  const whole = await demo(peaceful);
  const wholeMs = performance.now() - started;
  assert.equal(whole.code, 0, whole.output);

  await t.test('it shows the concepts, the table and one answered question', () => {
    for (const part of [/Gini/, /unseen concepts/, /95 % interval/, /picture it has never seen/]) {
      assert.match(whole.output, part);
    }
    const { benchmarks } = readResults(join(peaceful, 'results.json'));
    assert.deepEqual(Object.keys(benchmarks), ['unseen-concepts', 'counting']);
    assert.equal(benchmarks['counting']?.items, 20);
    assert.ok(existsSync(join(peaceful, 'answers.png')));
  });

  await t.test('the ledger has one row for every input', async () => {
    const curated = join(peaceful, 'data', 'curated');
    let rows = 0;
    for await (const _row of readLedger(join(curated, LEDGER))) rows += 1;
    assert.equal(rows, readManifest(join(peaceful, 'data', 'raw')).counts['samples']);
  });

  await t.test('killed at random moments it ends in the same weights and scores', async () => {
    const killed = join(root, 'killed');
    const random = createRandom('kills', Date.now());
    let kills = 0;
    for (;;) {
      const attempt = await demo(killed, kills < 6 ? random.range(0.1, 0.4) * wholeMs : undefined);
      if (attempt.code !== null) {
        assert.equal(attempt.code, 0, attempt.output);
        break;
      }
      kills += 1;
    }
    t.diagnostic(`killed ${kills} times; a whole run takes ${(wholeMs / 1000).toFixed(0)} s`);
    assert.equal(weightsOf(killed), weightsOf(peaceful));
    const scores = (run: string): unknown => readResults(join(run, 'results.json')).benchmarks;
    assert.deepEqual(scores(killed), scores(peaceful));
  });
});
