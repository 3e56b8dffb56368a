// Every example runs to its end and says something; none is longer than 60 lines.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

for (const file of globSync('examples/*.ts').sort()) {
  test(`${file} runs`, () => {
    const run = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.notEqual(run.stdout.trim(), '');
    assert.ok(readFileSync(file, 'utf8').split('\n').length <= 60);
  });
}
