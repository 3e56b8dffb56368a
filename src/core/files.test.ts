// Atomic files under kill -9, a full disk and wrong paths; JSON files with wrong contents.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { OneVisionError } from './errors.ts';
import { createFileAtomic, readJson, sweepTemporary, writeFileAtomic } from './files.ts';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'onevision-files-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

test('a file appears whole, replaces the old one, and leaves nothing beside it', async () => {
  await writeFileAtomic(at('a.txt'), 'first');
  await writeFileAtomic(at('a.txt'), Buffer.from('second'));
  assert.equal(fs.readFileSync(at('a.txt'), 'utf8'), 'second');
  assert.deepEqual(fs.readdirSync(folder), ['a.txt']);
});

test('a stream has no name before commit and none after abort', async () => {
  const file = await createFileAtomic(at('b.bin'));
  await file.write('one ');
  await file.write(Buffer.from('two'));
  assert.equal(file.bytes, 7);
  assert.equal(fs.existsSync(at('b.bin')), false);
  await file.commit();
  await file.abort();
  assert.equal(fs.readFileSync(at('b.bin'), 'utf8'), 'one two');
  {
    await using dropped = await createFileAtomic(at('c.bin'));
    await dropped.write('gone');
  }
  assert.deepEqual(fs.readdirSync(folder).sort(), ['a.txt', 'b.bin']);
});

const WRITER = `
import { createFileAtomic } from ${JSON.stringify(fileURLToPath(new URL('files.ts', import.meta.url)))};
const file = await createFileAtomic(process.argv[1]);
for (;;) {
  await file.write(Buffer.alloc(65536, 'x'));
  process.stdout.write('.');
}`;

test('kill -9 in the middle keeps the old file; the rest is swept, but not while alive', async () => {
  const target = at('killed.bin');
  await writeFileAtomic(target, 'old');
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    WRITER,
    target,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.equal(sweepTemporary(folder), 0, 'the writer is alive');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(fs.readFileSync(target, 'utf8'), 'old');
  assert.equal(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')).length, 1);
  assert.equal(sweepTemporary(folder), 1);
  assert.equal(sweepTemporary(folder), 0);
  assert.equal(sweepTemporary(at('no such folder')), 0);
});

test('a process that ends by itself takes its temporary files with it', () => {
  const program = `
    import { createFileAtomic } from ${JSON.stringify(new URL('./files.ts', import.meta.url).href)};
    await (await createFileAtomic(${JSON.stringify(at('left.bin'))})).write('half');
    process.exit(3);`;
  const args = ['--input-type=module', '--eval', program];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  assert.equal(status, 3);
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.includes('left')),
    [],
  );
});

test('a full disk is named, with the path, the bytes and a hint, and leaves no rest', async (t) => {
  const mount = at('tiny');
  fs.mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount], { stdio: 'ignore' });
  } catch {
    t.skip('needs the right to mount a small tmpfs');
    return;
  }
  try {
    const target = path.join(mount, 'big.bin');
    await assert.rejects(writeFileAtomic(target, Buffer.alloc(1 << 20)), (error) => {
      assert.ok(error instanceof OneVisionError);
      assert.equal(error.code, 'disk');
      assert.match(error.message, /big\.bin.*after \d+ bytes.*no space left/);
      assert.match(error.hint ?? '', /free some space/);
      return true;
    });
    assert.deepEqual(fs.readdirSync(mount), []);
  } finally {
    execFileSync('umount', [mount]);
  }
});

test('a missing folder and a file in the way are disk errors with hints', async () => {
  const missing = path.join(folder, 'none', 'x.txt');
  await assert.rejects(writeFileAtomic(missing, 'x'), { code: 'disk', hint: /create it first/ });
  fs.mkdirSync(at('taken'));
  await assert.rejects(writeFileAtomic(at('taken'), 'x'), { code: 'disk' });
  assert.equal(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')).length, 0);
});

test('readJson names the file and the field', () => {
  const schema = z.strictObject({ steps: z.int() });
  fs.writeFileSync(at('good.json'), '{"steps": 3}');
  fs.writeFileSync(at('torn.json'), '{"steps": ');
  fs.writeFileSync(at('wrong.json'), '{"steps": "many"}');
  assert.deepEqual(readJson(at('good.json'), schema), { steps: 3 });
  const fails = (name: string, message: RegExp): void =>
    assert.throws(() => readJson(at(name), schema, 'checkpoint'), { code: 'checkpoint', message });
  fails('none.json', /none\.json.*ENOENT/);
  fails('torn.json', /expected JSON in .*torn\.json/);
  fails('wrong.json', /wrong\.json:[\s\S]*expected number[\s\S]*steps/);
});
