// Tar archives: round trip, other programs' archives, and a cut at every single byte.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { encodeTarMember, membersOf, readTar, TAR_END, tarEntries } from './tar.ts';

const dir = mkdtempSync(join(tmpdir(), 'tar-'));
after(() => rmSync(dir, { recursive: true }));

const members = [
  { name: 'a.img0.png', data: Buffer.alloc(700, 1) },
  { name: 'a.json', data: Buffer.from('{}') },
  { name: 'b.json', data: Buffer.alloc(0) },
  { name: 'c.json', data: Buffer.alloc(512, 3) },
];
const archive = Buffer.concat([
  ...members.map(({ name, data }) => encodeTarMember(name, data)),
  TAR_END,
]);

async function readNames(path: string): Promise<{ names: string[]; error: unknown }> {
  const names: string[] = [];
  try {
    for await (const member of readTar(path)) names.push(member.name);
  } catch (error) {
    return { names, error };
  }
  return { names, error: undefined };
}

test('members come back with their bytes and offsets', async () => {
  const path = join(dir, 'whole.tar');
  writeFileSync(path, archive);
  let at = 0;
  for await (const member of readTar(path)) {
    const expected = members[at++];
    assert.equal(member.name, expected?.name);
    assert.deepEqual(member.bytes, expected?.data);
    const slice = archive.subarray(member.dataOffset, member.dataOffset + member.bytes.length);
    assert.deepEqual(slice, member.bytes);
    assert.equal(member.dataOffset - member.headerOffset, 512);
  }
  assert.equal(at, members.length);
});

test('a cut at any byte keeps the whole members before it and is noticed', async () => {
  const path = join(dir, 'cut.tar');
  const ends: number[] = [];
  let end = 0;
  for (const { name, data } of members) {
    end += encodeTarMember(name, data).length;
    ends.push(end);
  }
  const firstZeroBlock = end + 512;
  for (let length = 0; length < firstZeroBlock; length++) {
    writeFileSync(path, archive.subarray(0, length));
    const { names, error } = await readNames(path);
    const numWhole = ends.filter((memberEnd) => memberEnd <= length).length;
    assert.equal(names.length, numWhole, `cut at ${length}`);
    assert.ok(error instanceof OneVisionError, `cut at ${length} is noticed`);
    assert.equal(error.code, 'data');
    assert.match(error.message, /cut\.tar (is cut|ends without)/);
  }
});

test('a changed byte in a header is noticed', async () => {
  const path = join(dir, 'damaged.tar');
  for (const at of [0, 100, 124, 135, 148, 156, 257, 400]) {
    const damaged = Buffer.from(archive);
    damaged[1536 + at] = (damaged[1536 + at] ?? 0) ^ 0x41;
    writeFileSync(path, damaged);
    const { names, error } = await readNames(path);
    assert.deepEqual(names, ['a.img0.png'], `byte ${at}`);
    assert.ok(error instanceof OneVisionError && /damaged header/.test(error.message));
  }
});

test('a member over the limit is refused before memory is reserved', async () => {
  const path = join(dir, 'bomb.tar');
  const bomb = encodeTarMember('a.bin', Buffer.alloc(0));
  bomb.write('77777777777\0', 124, 'latin1');
  let sum = 256;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += bomb[i] ?? 0;
  bomb.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  writeFileSync(path, bomb);
  const { error } = await readNames(path);
  assert.ok(error instanceof OneVisionError && /member of 8589934591 bytes/.test(error.message));
});

test('a long name of any stated size is refused before memory is reserved', async () => {
  const path = join(dir, 'name-bomb.tar');
  for (const type of ['L', 'x', 'g']) {
    const bomb = encodeTarMember('a.bin', Buffer.alloc(0));
    bomb.write('00010000000\0', 124, 'latin1');
    bomb.write(type, 156, 'latin1');
    bomb.write('        ', 148, 'latin1');
    const sum = bomb.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bomb.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    writeFileSync(path, bomb);
    const expected = /name or attributes of 2097152 bytes/;
    assert.throws(() => [...tarEntries(path)], expected);
    assert.throws(() => [...membersOf(bomb, path)], expected);
    const { error } = await readNames(path);
    assert.ok(error instanceof OneVisionError && expected.test(error.message));
  }
});

test('names too long for a header are refused', () => {
  assert.throws(() => encodeTarMember('x'.repeat(101), new Uint8Array(1)), /1 to 100 bytes/);
});

test('the system tar reads ours, and we read its long names', async (t) => {
  if (spawnSync('tar', ['--version']).status !== 0) {
    t.skip('this machine has no tar');
    return;
  }
  const path = join(dir, 'ours.tar');
  writeFileSync(path, archive);
  const listed = execFileSync('tar', ['-tf', path], { encoding: 'utf8' });
  assert.deepEqual(
    listed.trim().split('\n'),
    members.map((member) => member.name),
  );
  const long = join('f'.repeat(80), `${'g'.repeat(120)}.txt`);
  mkdirSync(join(dir, 'f'.repeat(80)));
  writeFileSync(join(dir, long), 'long');
  for (const format of ['gnu', 'pax']) {
    const theirs = join(dir, `${format}.tar`);
    execFileSync('tar', [`--format=${format}`, '-cf', theirs, '-C', dir, long, 'ours.tar']);
    const found: string[] = [];
    for await (const { name, bytes } of readTar(theirs)) {
      found.push(name);
      assert.deepEqual(bytes, readFileSync(join(dir, name)), `${format}: ${name}`);
    }
    assert.deepEqual(found, [long, 'ours.tar'], format);
  }
});
