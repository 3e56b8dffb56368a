// Safetensors: round trips, a golden file, and files that are cut short or lie about themselves.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OneVisionError } from '../core/errors.ts';
import { fromArray, memory, openSafetensors, saveSafetensors, tidy } from './index.ts';
import * as ops from './ops.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevision-safetensors-'));
after(() => rmSync(folder, { recursive: true }));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

function write(name: string, header: unknown, dataBytes: number): string {
  const path = join(folder, name);
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(dataBytes, 1)]));
  return path;
}

function refused(path: string, pattern: RegExp): void {
  assert.throws(
    () => openSafetensors(path),
    (error) =>
      error instanceof OneVisionError && error.code === 'checkpoint' && pattern.test(error.message),
  );
}

test('a golden file of every dtype reads as PyTorch wrote it', () => {
  const { values } = JSON.parse(readFileSync(fixture('golden.json'), 'utf8')) as {
    values: Record<string, number[]>;
  };
  using file = openSafetensors(fixture('golden.safetensors'));
  assert.deepEqual(file.metadata, { maker: 'make-golden.py' });
  assert.deepEqual(file.names, Object.keys(values));
  for (const name of file.names) {
    assert.deepEqual(file.shape(name), [2, 3]);
    assert.deepEqual(file.tensor(name).toNumbers(), values[name]);
  }
});

test('what is saved is what is read, byte for byte the same each time', async () => {
  const path = join(folder, 'round.safetensors');
  const tensors = {
    'b.weight': fromArray([1, 2, 3, 4, 5, 6], [2, 3], { dtype: 'bfloat16' }),
    'a.weight': ops.t(fromArray([1, 2, 3, 4], [2, 2])),
    scalar: fromArray([7], [], { dtype: 'int64' }),
    empty: ops.zeros([0, 4]),
    flag: fromArray([1, 0, 1], [3], { dtype: 'bool' }),
    grad: fromArray([1], [1], { requiresGrad: true }),
  };
  await saveSafetensors(path, tensors, { step: '3', format: 'pt' });
  const first = readFileSync(path);
  await saveSafetensors(path, tensors, { format: 'pt', step: '3' });
  assert.deepEqual(readFileSync(path), first);
  assert.deepEqual(readdirSync(folder), ['round.safetensors']);
  using file = openSafetensors(path);
  assert.deepEqual(file.metadata, { format: 'pt', step: '3' });
  for (const [name, tensor] of Object.entries(tensors)) {
    const read = file.tensor(name);
    assert.deepEqual([read.dtype, read.shape], [tensor.dtype, tensor.shape]);
    assert.deepEqual(read.toArray(), tensor.toArray());
  }
});

test('tensors outlive the file, and writing to them leaves it alone', async () => {
  const path = join(folder, 'mapped.safetensors');
  await saveSafetensors(path, { x: ops.ones([4]) });
  const before = memory().numTensors;
  const file = tidy(() => openSafetensors(path));
  const x = file.tensor('x');
  file.close();
  ops.mulScalar_(x, 5);
  assert.deepEqual(x.toNumbers(), [5, 5, 5, 5]);
  assert.throws(() => file.tensor('x'), /closed/);
  x.dispose();
  assert.equal(memory().numTensors, before);
  using again = openSafetensors(path);
  assert.deepEqual(again.tensor('x').toNumbers(), [1, 1, 1, 1]);
  assert.throws(() => again.tensor('y'), /a tensor named y/);
});

test('data that is not aligned to its elements is copied', () => {
  const header = {
    a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
    b: { dtype: 'F32', shape: [1], data_offsets: [1, 5] },
  };
  using file = openSafetensors(write('odd.safetensors', header, 5));
  assert.ok(Math.abs(file.tensor('b').item() - 2.3694278e-38) < 1e-44);
});

test('a missing, truncated or foreign file is refused', () => {
  refused(join(folder, 'none.safetensors'), /none\.safetensors; ENOENT/);
  const short = join(folder, 'short.safetensors');
  writeFileSync(short, Buffer.alloc(5));
  refused(short, /got 5 bytes/);
  writeFileSync(short, Buffer.alloc(64, 0xff));
  refused(short, /announce a header of/);
  refused(write('text.safetensors', 'not json', 0), /a JSON object as header/);
  refused(write('array.safetensors', '[1]', 0), /a JSON object as header/);
  const whole = readFileSync(fixture('golden.safetensors'));
  writeFileSync(short, whole.subarray(0, whole.byteLength - 1));
  refused(short, /bytes of data; the file has/);
});

test('a header that lies is refused, and says where', () => {
  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const lies: readonly (readonly [string, unknown, RegExp])[] = [
    [
      'more',
      { x: { ...entry, shape: [3] } },
      /x \(F32 \[3\]\) to take 12 bytes; its offsets give 8/,
    ],
    ['huge', { x: { ...entry, shape: [2 ** 40, 2 ** 40] } }, /x .* to take/],
    ['outside', { x: { ...entry, data_offsets: [8, 16] } }, /x to begin at byte 0/],
    ['backward', { x: { ...entry, data_offsets: [8, 0] } }, /its offsets give -8/],
    ['overlap', { x: entry, y: entry }, /y to begin at byte 8 of the data; it begins at 0/],
    ['dtype', { x: { ...entry, dtype: 'F31' } }, /known dtype; F31/],
    ['shape', { x: { ...entry, shape: [-2] } }, /x to have dtype, shape and data_offsets/],
    ['null', { x: null }, /x to have dtype/],
    ['hole', {}, /expected 0 bytes of data; the file has 8/],
    ['metadata', { __metadata__: { a: 1 }, x: entry }, /__metadata__/],
  ];
  for (const [name, header, pattern] of lies) refused(write(name, header, 8), pattern);
});

test('a folder that does not exist is a disk error', async () => {
  await assert.rejects(
    saveSafetensors(join(folder, 'no', 'x.safetensors'), { x: ops.ones([1]) }),
    (error) => error instanceof OneVisionError && error.code === 'disk',
  );
});
