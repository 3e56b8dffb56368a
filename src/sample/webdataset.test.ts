// Shards of samples: round trip, sharding, and everything that can be wrong with one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { rawSample } from '../../test/support/raw-samples.ts';
import { OneVisionError } from '../core/errors.ts';
import { writeManifest } from './manifest.ts';
import type { Sample, Split } from './sample.ts';
import { encodeSampleJson } from './sample-json.ts';
import { encodeTarMember, TAR_END } from './tar.ts';
import { createShardWriter, readSamples, type ShardFile, shardKey } from './webdataset.ts';

const root = mkdtempSync(join(tmpdir(), 'shards-'));
after(() => rmSync(root, { recursive: true }));
const image = Buffer.from('not decoded here');

async function samples(count: number): Promise<Sample[]> {
  const list = Array.from({ length: count }, (_, i) => `t:${i}`);
  return await Promise.all(list.map((uid) => rawSample({ uid, label: `thing ${uid}`, image })));
}

async function write(dir: string, list: readonly Sample[], options = {}): Promise<ShardFile[]> {
  const writer = createShardWriter(join(root, dir), options);
  for (const sample of list) await writer.write(sample);
  return await writer.close();
}

async function read(dir: string, split?: Split): Promise<{ uids: string[]; skips: string[] }> {
  const uids: string[] = [];
  const skips: string[] = [];
  const onSkip = (_: string, reason: string, count: number): void => {
    skips.push(`${count} ${reason}`);
  };
  const options = split === undefined ? { onSkip } : { onSkip, split };
  for await (const sample of readSamples(join(root, dir), options)) uids.push(sample.uid);
  return { uids, skips };
}

function writeTar(dir: string, members: readonly [string, Uint8Array][]): void {
  mkdirSync(join(root, dir), { recursive: true });
  const parts = members.map(([name, data]) => encodeTarMember(name, data));
  writeFileSync(join(root, dir, 'x.tar'), Buffer.concat([...parts, TAR_END]));
}

test('samples come back as they went in, over several shards', async () => {
  const list = await samples(7);
  const files = await write('round', list, { maxSamples: 3 });
  assert.deepEqual(
    files.map(({ name, count }) => [name, count]),
    [
      ['shard-000000.tar', 3],
      ['shard-000001.tar', 3],
      ['shard-000002.tar', 1],
    ],
  );
  const back: Sample[] = [];
  for await (const sample of readSamples(join(root, 'round'))) back.push(sample);
  assert.deepEqual(back, list);
});

test('the same samples give the same bytes; the reported size and hash are the file’s', async () => {
  const list = await samples(5);
  const [first] = await write('same-a', list);
  const [second] = await write('same-b', list);
  assert.deepEqual(first, second);
  assert.equal(readFileSync(join(root, 'same-a', 'shard-000000.tar')).length, first?.bytes);
});

test('a shard stays below maxBytes', async () => {
  const files = await write('small', await samples(6), { maxBytes: 5000 });
  assert.ok(files.length > 1);
  for (const file of files) assert.ok(file.bytes <= 5000, `${file.name} has ${file.bytes} bytes`);
});

test('one uid twice is refused and leaves no shard', async () => {
  const [sample] = await samples(1);
  assert.ok(sample);
  await assert.rejects(write('twice', [sample, sample]), /uids to be unique.*t:0 twice/);
  assert.deepEqual(readdirSync(join(root, 'twice')), []);
});

test('keys are plain names and stay distinct', () => {
  assert.equal(shardKey('noto_1f600'), 'noto_1f600');
  assert.match(shardKey('noto:1f600'), /^noto_1f600-[0-9a-f]{8}$/);
  assert.notEqual(shardKey('a:b'), shardKey('a.b'));
  assert.ok(shardKey('ü'.repeat(400)).length <= 72);
});

test('invalid UTF-8, broken JSON, wrong fields and missing members are skipped by name', async () => {
  const [good] = await samples(1);
  assert.ok(good);
  const json = encodeSampleJson(good);
  const torn = Buffer.from(json);
  torn[torn.indexOf('thing')] = 0xff;
  const without = (field: string): Buffer => {
    const value: Record<string, unknown> = JSON.parse(json.toString());
    delete value[field];
    return Buffer.from(JSON.stringify(value));
  };
  writeTar('bad', [
    ['a.img0.png', image],
    ['a.json', torn],
    ['b.img0.png', image],
    ['b.json', Buffer.from('{"uid": ')],
    ['c.img0.png', image],
    ['c.json', without('messages')],
    ['d.json', json],
    ['e.img0.png', image],
    ['f.img0.png', image],
    ['f.json', without('split')],
    ['g.img0.png', image],
    ['g.json', json],
  ]);
  const { uids, skips } = await read('bad');
  assert.deepEqual(uids, ['t:0']);
  assert.deepEqual(skips, [
    '1 the JSON is not valid UTF-8',
    '1 the JSON does not parse',
    '1 field messages is empty',
    '1 image img0.png is missing',
    '1 it has no JSON member',
    '1 field split is not train, val or test',
  ]);
});

test('without onSkip the first bad sample is an error that says where', async () => {
  const run = async (): Promise<void> => {
    for await (const _ of readSamples(join(root, 'bad')));
  };
  await assert.rejects(run(), /x\.tar:a: the JSON is not valid UTF-8/);
});

test('a truncated shard loses what is cut off, counted by the manifest', async () => {
  const list = await samples(4);
  const files = await write('cut', list);
  const dir = join(root, 'cut');
  const path = join(dir, 'shard-000000.tar');
  await writeManifest(dir, {
    format: 'onevision/1',
    kind: 'samples',
    stage: 'test',
    configHash: 'x',
    counts: {},
    files,
    stats: {},
  });
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length - 512; length += 97) {
    writeFileSync(path, whole.subarray(0, length));
    const { uids, skips } = await read('cut');
    const numLost = skips.reduce((sum, skip) => sum + Number.parseInt(skip, 10), 0);
    assert.ok(numLost >= 1, `cut at ${length} is noticed`);
    assert.deepEqual(
      uids,
      list.slice(0, uids.length).map((sample) => sample.uid),
    );
    assert.ok(uids.length + numLost >= 4 && numLost <= Math.max(1, 4 - uids.length));
  }
});

test('reading one side: other shards stay closed, a held-out style is never training', async () => {
  const list = (await samples(40)).map((sample, i) =>
    i % 4 === 0 ? { ...sample, meta: { ...sample.meta, heldOutStyle: true } } : sample,
  );
  await write('sides', list);
  const { uids } = await read('sides', 'train');
  const expected = list.filter((s) => s.split === 'train' && s.meta['heldOutStyle'] !== true);
  assert.deepEqual(
    uids,
    expected.map((sample) => sample.uid),
  );
  writeFileSync(join(root, 'sides', 'val-000000.tar'), 'would not read');
  assert.deepEqual((await read('sides', 'train')).skips, []);
});

test('an empty folder is a named error with a hint', async () => {
  mkdirSync(join(root, 'empty'));
  for (const dir of ['empty', 'absent']) {
    await assert.rejects(read(dir), (error) => {
      assert.ok(error instanceof OneVisionError);
      assert.equal(error.code, 'data');
      assert.match(error.message, /Expected shards .*there are none/);
      assert.match(error.hint ?? '', /run the stage/);
      return true;
    });
  }
});

test('a full disk is a named error and leaves no half shard', async (t) => {
  const mount = join(root, 'full');
  mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount], { stdio: 'ignore' });
  } catch {
    t.skip('needs the right to mount a small tmpfs');
    return;
  }
  try {
    const big = await rawSample({ uid: 'big', label: 'big', image: Buffer.alloc(2 << 20) });
    await assert.rejects(write('full', [big]), (error) => {
      assert.ok(error instanceof OneVisionError);
      assert.equal(error.code, 'disk');
      assert.match(error.message, /shard-000000\.tar.*no space left/);
      return true;
    });
    assert.deepEqual(readdirSync(mount), []);
  } finally {
    execFileSync('umount', [mount]);
  }
});
