// Files of torch.save: PyTorch's read by us, ours read by PyTorch (golden/torch-*.{pt,json}, made by
// make-torch-files.py), and files that are hostile, cut short or not what they say.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OneVisionError } from '../../src/core/errors.ts';
import { readPickle } from '../../src/tensor/storage/pickle-read.ts';
import { InertObject, type PickleValue } from '../../src/tensor/storage/pickle-values.ts';
import { openTorchFile, tensorOf } from '../../src/tensor/storage/torch-file.ts';
import { writeTorchFile } from '../../src/tensor/storage/torch-write.ts';
import { DTYPES, torchContent } from './write-torch-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevision-torch-'));
after(() => rmSync(folder, { recursive: true }));
const golden = (name: string): string => new URL(`golden/${name}`, import.meta.url).pathname;

function entry(
  value: PickleValue | undefined,
  ...path: readonly string[]
): PickleValue | undefined {
  let found = value;
  for (const key of path) found = found instanceof Map ? found.get(key) : undefined;
  return found;
}

function numbers(value: PickleValue | undefined, ...path: readonly string[]): number[] {
  const tensor = tensorOf(entry(value, ...path));
  assert.ok(tensor !== undefined, path.join('.'));
  const read = tensor.read();
  assert.deepEqual(read.shape, tensor.shape);
  return read.toNumbers();
}

test('tensors of every type, views in any order, parameters, and plain values', () => {
  using file = openTorchFile(golden('torch-save.pt'));
  const { value } = file;
  for (const dtype of DTYPES) {
    assert.equal(tensorOf(entry(value, 'types', dtype))?.dtype, dtype);
    const expected = dtype === 'bool' ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5];
    assert.deepEqual(numbers(value, 'types', dtype), expected, dtype);
  }
  const base = Array.from({ length: 24 }, (_, i) => i);
  const rows = [0, 1, 2, 3];
  assert.deepEqual(
    numbers(value, 'views', 't'),
    Array.from({ length: 6 }, (_, c) => rows.map((r) => 6 * r + c)).flat(),
  );
  assert.deepEqual(numbers(value, 'views', 'rows'), base.slice(6, 18));
  assert.deepEqual(
    numbers(value, 'views', 'columns'),
    rows.flatMap((r) => [6 * r + 2, 6 * r + 3]),
  );
  assert.deepEqual(numbers(value, 'views', 'last'), [23]);
  const narrowed = tensorOf(entry(value, 'views', 'columns'))?.read({ dtype: 'bfloat16' });
  assert.equal(narrowed?.dtype, 'bfloat16');
  assert.deepEqual(numbers(value, 'uint16'), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(numbers(value, 'parameter'), [1, 1]);
  assert.deepEqual(tensorOf(entry(value, 'empty'))?.shape, [0, 4]);
  const plain = entry(value, 'plain') as PickleValue[];
  assert.deepEqual(plain.slice(0, 9), [
    null,
    true,
    false,
    7,
    -300,
    2 ** 40,
    -(2n ** 70n),
    0.5,
    'é',
  ]);
  assert.deepEqual(plain[10], [1, [2]]);
});

test('objects of classes are named and never made: nothing in a file runs', () => {
  using file = openTorchFile(golden('torch-save.pt'));
  const named = (key: string): InertObject => {
    const found = entry(file.value, key);
    assert.ok(found instanceof InertObject, key);
    return found;
  };
  assert.match(named('hostile').callable, /^(posix|os)\.system$/);
  assert.deepEqual(named('hostile').args, ['touch hostile-was-here']);
  assert.ok(!existsSync('hostile-was-here'));
  assert.equal(named('args').callable, 'argparse.Namespace');
  assert.equal((named('args').state as Map<string, number>).get('lr'), 0.1);
  assert.match(named('rng').callable, /_reconstruct|_frombuffer/);
  assert.equal(named('extra').callable, '_io.BytesIO');
});

test('what we write is what torch.load read, byte for byte', async () => {
  const path = join(folder, 'written.pt');
  await writeTorchFile(path, torchContent());
  const { sha256 } = JSON.parse(readFileSync(golden('torch-written.json'), 'utf8'));
  assert.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), sha256);
  using file = openTorchFile(path);
  for (const dtype of DTYPES) {
    const expected = dtype === 'bool' ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5];
    assert.deepEqual(numbers(file.value, 'types', dtype), expected);
  }
  const plain = [null, true, false, 7, -300, 2 ** 40, 0.5, 'é', new Map([['a', []]])];
  assert.deepEqual(entry(file.value, 'plain'), plain);
});

function refused(run: () => unknown, message: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof OneVisionError, String(error));
    assert.equal(error.code, 'checkpoint');
    assert.ok(error.hint !== undefined);
    assert.match(error.message, message);
    return true;
  });
}

test('files that are cut short, of another kind, or that lie', () => {
  const whole = readFileSync(golden('torch-save.pt'));
  const spoilt = (name: string, bytes: Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  refused(() => openTorchFile(join(folder, 'none.pt')), /ENOENT/);
  for (const length of [0, 10, 3000, whole.byteLength - 1]) {
    refused(() => openTorchFile(spoilt('short.pt', whole.subarray(0, length))), /expected/);
  }
  // Any one byte changed: read, or refused by name; never anything else.
  for (let at = 0; at < whole.byteLength; at += 61) {
    const changed = Buffer.from(whole);
    changed[at] = 255 - (changed[at] ?? 0);
    try {
      openTorchFile(spoilt('changed.pt', changed)).close();
    } catch (error) {
      assert.ok(error instanceof OneVisionError, `byte ${at}: ${String(error)}`);
    }
  }
  const compressed = Buffer.from(whole);
  compressed.writeUInt16LE(8, compressed.lastIndexOf('PK\x01\x02') + 10);
  refused(() => openTorchFile(spoilt('packed.pt', compressed)), /stored as it is/);
});

test('pickles with other opcodes, empty stacks, or lengths beyond their end', () => {
  const hooks = { persistent: (id: PickleValue) => id, call: () => undefined };
  const run = (text: string): PickleValue => readPickle(Buffer.from(text, 'latin1'), hooks, 'test');
  assert.deepEqual(run('\x80\x02}q\x00X\x01\x00\x00\x00aK\x05s.'), new Map([['a', 5]]));
  refused(() => run('\x80\x02\x82\x01.'), /opcodes that torch\.save writes; came 0x82/);
  refused(() => run('.'), /a value; came none/);
  refused(() => run('t.'), /a mark on the stack/);
  refused(() => run('X\xff\xff\xff\x7fa.'), /more bytes/);
  refused(() => run('h\x05.'), /memo 5/);
  refused(() => run('K\x01K\x02K\x03s.'), /a dict to fill/);
  refused(() => run('cos\n'), /a line/);
});
