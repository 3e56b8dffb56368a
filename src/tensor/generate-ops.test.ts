// ops.ts is what the generator writes today: nobody edited it, nobody forgot to run it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateOps } from './generate-ops.ts';
import { runtimeInfo } from './index.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const operators = JSON.parse(read('operators.json')) as Record<string, string>;

test('operators.json is sorted and ops.ts is up to date', (t) => {
  assert.deepEqual(Object.keys(operators), Object.keys(operators).sort());
  if (!runtimeInfo().version.startsWith('2.13.')) {
    t.skip(`ops.ts is generated from libtorch 2.13; this is ${runtimeInfo().version}`);
    return;
  }
  for (const [name, source] of generateOps(operators)) {
    const path = fileURLToPath(new URL(name, import.meta.url));
    const args = ['biome', 'check', '--write', `--stdin-file-path=${path}`];
    const { stdout } = spawnSync('npx', args, { input: source, encoding: 'utf8' });
    assert.equal(read(name), stdout, `run \`npm run generate\` and commit ${name}`);
  }
});

test('an unknown operator stops the generator', () => {
  assert.throws(() => generateOps({ nope: 'aten::nope' }), /no operator named aten::nope/);
});
