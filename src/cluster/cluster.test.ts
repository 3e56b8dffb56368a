// The contract of a piece of work, with real processes: same results for any number of them, only
// failed shards again, a killed process survived.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { silentLog as log } from '../core/log.ts';
import { runShards } from './run-shards.ts';
import type { TaskSpec } from './task.ts';

const shards = Array.from({ length: 9 }, (_, i) => `shard-${'x'.repeat(i)}`);

function work(config: object = {}): { spec: TaskSpec; dir: string; output: string } {
  const output = mkdtempSync(join(tmpdir(), 'onevision-cluster-'));
  const module = new URL('./testing-task.ts', import.meta.url).href;
  const spec = { name: 'shout', module, config: { output, ...config }, shards };
  return { spec, dir: join(output, 'work'), output };
}

const outputs = (output: string): string[] =>
  readdirSync(output)
    .filter((name) => name.endsWith('.out'))
    .sort();

for (const workers of [1, 2, 5]) {
  test(`${workers} processes treat every shard once, results in order`, async () => {
    const { spec, dir, output } = work();
    const results = await runShards(spec, { dir, workers, log });
    assert.deepEqual(
      results,
      shards.map(({ length }) => ({ length })),
    );
    assert.deepEqual(outputs(output), shards.map((shard) => `${shard}.out`).sort());
  });
}

test('failed shards alone are tried again, with another number of processes', async () => {
  const fails = [shards[2] ?? '', shards[7] ?? ''];
  const { spec, dir, output } = work({ fails });
  await assert.rejects(runShards(spec, { dir, workers: 2, log }), (error: unknown) => {
    assert.ok(error instanceof OneVisionError);
    assert.match(error.message, /9 shards treated, 2 failed; first shard-xx: no bread/);
    return true;
  });
  assert.equal(outputs(output).length, 7);
  writeFileSync(join(output, 'allow'), '');
  // Files are opened with 'wx': treating a finished shard again would fail.
  const results = await runShards(spec, { dir, workers: 3, log });
  assert.equal(results.length, 9);
  assert.equal(outputs(output).length, 9);
  assert.deepEqual(readdirSync(join(dir, 'failed')), []);
});

test('a process that is killed is started again and goes on after its finished shards', async () => {
  const { spec, dir, output } = work({ dies: [shards[4]] });
  const results = await runShards(spec, { dir, workers: 2, log });
  assert.equal(results.length, 9);
  assert.ok(readFileSync(join(output, `${shards[4]}.out`)).length > 0);
});

test('a work folder cannot name code outside of the package', async () => {
  const { spec, dir } = work();
  const foreign = { ...spec, module: 'file:///tmp/other.ts' };
  await assert.rejects(runShards(foreign, { dir, log }), /in a module of this package/);
});
