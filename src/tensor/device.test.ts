// Devices and timelines, as far as a machine without an accelerator can see them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deviceMemory, deviceNames, peakBytes, synchronize } from './device.ts';
import { native } from './native.ts';
import * as ops from './ops.ts';
import { profile } from './runtime.ts';
import { tidy } from './scope.ts';

test('the processor has no queue and no memory of its own', () => {
  synchronize('cpu');
  assert.ok(peakBytes('cpu') > 1e7);
  assert.throws(() => deviceMemory('cpu'), /expects a device of this machine; got cpu/);
  assert.throws(() => native().synchronize('gpu'), /a device such as "cpu" or "cuda:0"/);
});

test('a device that is not there is named, with what libtorch sees', () => {
  const beyond = `cuda:${deviceNames().length}`;
  assert.throws(() => deviceMemory(beyond), new RegExp(`got ${beyond}, and libtorch sees`));
  assert.throws(() => tidy(() => ops.zeros([1], { device: beyond })));
});

test('a timeline names the operators that ran', () => {
  const dir = mkdtempSync(join(tmpdir(), 'onevision-profile-'));
  const path = join(dir, 'timeline.json');
  const sum = profile(path, 'cpu', () => tidy(() => ops.sum(ops.ones([2, 3])).item()));
  assert.equal(sum, 6);
  const { traceEvents } = JSON.parse(readFileSync(path, 'utf8'));
  const names = traceEvents.map(({ name }: { name: string }) => name);
  assert.ok(names.includes('aten::sum'), `${names}`);
  rmSync(dir, { recursive: true });
});
