// The door to the addon: what a user reads where set-up has not run or libtorch has gone.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { loadAddon, readAddonStamp } from './native.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevision-native-'));
after(() => rmSync(folder, { recursive: true }));

function failure(body: () => unknown): OneVisionError {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof OneVisionError);
    assert.equal(error.code, 'libtorch');
    assert.equal(error.exitCode, 3);
    assert.match(error.hint ?? '', /npm run setup/);
    return error;
  }
  assert.fail('expected an error');
}

function stamp(contents: unknown): string {
  const path = join(folder, 'addon.json');
  writeFileSync(path, JSON.stringify(contents));
  return path;
}

test('set-up has not run', () => {
  assert.match(failure(() => loadAddon(join(folder, 'none.json'))).message, /written by set-up/);
  assert.match(failure(() => readAddonStamp(stamp({ path: 1 }))).message, /not readable/);
});

test('the libtorch folder has gone', () => {
  const gone = stamp({ path: '/x.node', libtorch: join(folder, 'gone'), version: '2.13.0' });
  assert.match(
    failure(() => loadAddon(gone)).message,
    /libtorch 2\.13\.0 at .*gone; it is not there/,
  );
});

test('the addon has gone or is of another kind', () => {
  const libtorch = join(folder, 'libtorch');
  mkdirSync(join(libtorch, 'include', 'ATen', 'core'), { recursive: true });
  writeFileSync(join(libtorch, 'include', 'ATen', 'core', 'Tensor.h'), '');
  const path = join(folder, 'broken.node');
  assert.match(
    failure(() => loadAddon(stamp({ path, libtorch, version: '2.13.0' }))).message,
    /Expected the addon .*broken\.node to load; the system says/,
  );
  writeFileSync(path, 'no library');
  assert.match(failure(() => loadAddon(join(folder, 'addon.json'))).message, /broken\.node/);
});
