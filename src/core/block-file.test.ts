// Files in blocks past the page cache: the bytes of any sequence of pieces, and of what refuses such writes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { BlockFile } from './block-file.ts';
import { pageAligned } from './direct.ts';
import { createFileAtomic } from './files.ts';
import { createRandom } from './hash.ts';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'onevision-blocks-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

test('pieces of any size, padded or not, in two files at once: the bytes and their hash', async () => {
  const names = ['a', 'b'];
  const files = await Promise.all(names.map((name) => BlockFile.create(at(name))));
  const expected: Buffer[][] = [[], []];
  const random = createRandom('blocks');
  const piece = Buffer.alloc(6 * 2 ** 20);
  for (let i = 0; i < 40; i += 1) {
    for (const [f, file] of files.entries()) {
      const size = random.int(random.pick([100, 5000, 400_000, piece.length]));
      const padding = random.int(2) * random.int(5000);
      piece.fill(`${i}${f}`, 0, size);
      expected[f]?.push(Buffer.from(piece.subarray(0, size)), Buffer.alloc(padding));
      await file.append(piece.subarray(0, size), size + padding);
      piece.fill(0, 0, size); // the caller's memory is its own again
    }
  }
  for (const [f, file] of files.entries()) {
    assert.equal(fs.existsSync(at(names[f] ?? '')), false);
    const whole = Buffer.concat(expected[f] ?? []);
    const sha256 = createHash('sha256').update(whole).digest('hex');
    assert.deepEqual(await file.commit(), { bytes: whole.length, sha256 });
    await file.abort();
    assert.ok(fs.readFileSync(at(names[f] ?? '')).equals(whole));
  }
});

test('an empty file, and one thrown away', async () => {
  const empty = await BlockFile.create(at('empty'));
  assert.equal((await empty.commit()).bytes, 0);
  assert.equal(fs.statSync(at('empty')).size, 0);
  const dropped = await BlockFile.create(at('dropped'));
  await dropped.append(Buffer.alloc(5 * 2 ** 20));
  await dropped.abort();
  assert.ok(fs.readdirSync(folder).every((name) => !name.includes('dropped')));
});

test('memory for blocks is taken by a direct write', async (t) => {
  const { O_CREAT, O_WRONLY, O_DIRECT } = fs.constants;
  if (O_DIRECT === undefined) return t.skip('this system has no direct writes');
  const handle = await open(at('direct'), O_CREAT | O_WRONLY | O_DIRECT).catch(() => undefined);
  if (handle === undefined) return t.skip('this file system has no direct writes');
  try {
    assert.equal((await handle.write(pageAligned(8192).fill(5))).bytesWritten, 8192);
  } finally {
    await handle.close();
  }
  assert.ok(fs.readFileSync(at('direct')).equals(Buffer.alloc(8192, 5)));
});

test('what cannot be written past the cache is written through it', async () => {
  const file = await createFileAtomic(at('through'), { isDirect: true });
  const pages = Buffer.alloc(3 * 4096 + 1, 'page').subarray(1); // a whole number of pages, at an odd address
  await file.write(pages);
  await file.write('the rest');
  await file.write(pages); // whole pages at an odd place
  await file.commit();
  const whole = Buffer.concat([pages, Buffer.from('the rest'), pages]);
  assert.ok(fs.readFileSync(at('through')).equals(whole));
});

test('a full disk and a missing folder are named, and nothing stays', async (t) => {
  await assert.rejects(BlockFile.create(at('none/x.bin')), { code: 'disk', hint: /create it/ });
  const mount = at('tiny');
  fs.mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mount], { stdio: 'ignore' });
  } catch {
    t.skip('needs the right to mount a small tmpfs');
    return;
  }
  try {
    const file = await BlockFile.create(path.join(mount, 'big.bin'));
    const write = async (): Promise<unknown> => {
      await file.append(Buffer.alloc(9 * 2 ** 20, 1));
      return await file.commit();
    };
    await assert.rejects(write(), { code: 'disk', message: /big\.bin.*no space left/ });
    await file.abort();
    assert.deepEqual(fs.readdirSync(mount), []);
  } finally {
    execFileSync('umount', [mount]);
  }
});
