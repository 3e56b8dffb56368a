// Every format of source: what is in it comes out, what is wrong with it is named, nothing is lost.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../../test/support/raw-samples.ts';
import { createRandom } from '../../core/hash.ts';
import { openColumns, sqlText } from '../columns.ts';
import type { Sample } from '../sample.ts';
import { encodeTarMember, TAR_END } from '../tar.ts';
import { oneFile } from './listing.ts';
import { openSource } from './open.ts';
import { openParquet } from './parquet.ts';
import { readSource, type SourceSpec } from './source.ts';

const root = mkdtempSync(join(tmpdir(), 'sources-'));
after(() => rmSync(root, { recursive: true }));
const png = Buffer.from(await drawPng(drawSvg(1)));
const jpg = await sharp(png).jpeg().toBuffer();

function put(name: string, data: Uint8Array | string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
  return path;
}

interface Found {
  readonly format: string;
  readonly samples: Sample[];
  readonly lost: Record<string, string>;
}

async function read(spec: SourceSpec | string): Promise<Found> {
  const source = await openSource(spec);
  const samples: Sample[] = [];
  const lost: Record<string, string> = {};
  for await (const entry of readSource(source)) {
    if (entry.sample !== undefined) samples.push(entry.sample);
    else lost[entry.lost.uid] = entry.lost.reason;
  }
  const uids = samples.map((sample) => sample.uid);
  assert.equal(new Set(uids).size, uids.length, 'uids are unique');
  return { format: source.format, samples, lost };
}

async function parquet(name: string, select: string): Promise<string> {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  using columns = await openColumns();
  await columns.run(`COPY (${select}) TO ${sqlText(path)} (FORMAT parquet)`);
  return path;
}

const blob = (bytes: Uint8Array): string => `unhex('${Buffer.from(bytes).toString('hex')}')`;
const words = (sample: Sample | undefined): string[] =>
  sample?.messages.map(({ role, content }) => `${role}: ${content}`) ?? [];

test('our own shards come back with their byte ranges', async () => {
  const list = await Promise.all(['a', 'b'].map((uid) => rawSample({ uid, label: uid })));
  await writeRaw(join(root, 'ours'), list);
  const source = await openSource(join(root, 'ours'));
  const entries = await Array.fromAsync(readSource(source));
  assert.deepEqual(
    entries.map((entry) => entry.sample),
    list,
  );
  const [first, second] = entries.map((entry) => entry.sample && entry.at);
  assert.deepEqual([first?.start, second?.start], [0, first?.size]);
});

test('foreign archives: words in .txt or .json, several pictures by number', async () => {
  const members: [string, string | Buffer][] = [
    ['d/1.jpg', jpg],
    ['d/1.txt', 'a jpeg'],
    ['d/2.json', JSON.stringify({ TEXT: 'from json', similarity: 0.3, key: 'k2' })],
    ['d/2.png', png],
    ['3.10_b.png', png],
    ['3.2_a.jpg', jpg],
    [
      '3.json',
      JSON.stringify([
        { role: 'user', content: 'two?' },
        { role: 'assistant', content: 'yes' },
      ]),
    ],
    ['4.txt', 'no picture'],
    ['5.jpg', 'MZ not a picture'],
    ['5.txt', 'wrong'],
    ['6.png', png],
    ['6.txt', Buffer.from([0xff, 0xfe])],
  ];
  const parts = members.map(([name, data]) => encodeTarMember(name, Buffer.from(data)));
  const path = put('wds/x-0.tar', Buffer.concat([...parts, TAR_END]));
  const { format, samples, lost } = await read(dirname(path));
  assert.equal(format, 'webdataset');
  assert.deepEqual(samples.map(words), [
    ['user: <image>', 'assistant: a jpeg'],
    ['user: <image>', 'assistant: from json'],
    ['user: <image><image>\ntwo?', 'assistant: yes'],
  ]);
  assert.deepEqual(
    samples.map(({ uid, images }) => [uid, ...images.map((image) => image.name)]),
    [
      ['wds:x-0.tar:d/1', 'img0.jpg'],
      ['wds:x-0.tar:d/2', 'img0.png'],
      ['wds:x-0.tar:3', 'img0.jpg', 'img1.png'],
    ],
  );
  assert.equal(samples[1]?.meta['similarity'], 0.3);
  assert.deepEqual(lost, {
    'wds:x-0.tar:4': 'no image',
    'wds:x-0.tar:5': 'an image is no JPEG, PNG, WebP, GIF, TIFF or AVIF',
    'wds:x-0.tar:6': 'the text is not valid UTF-8',
  });
});

test('parquet: struct, bytes and lists of images; captions, messages and conversations', async () => {
  const image = (bytes: Uint8Array): string => `{'bytes': ${blob(bytes)}, 'path': 'x'}`;
  await parquet(
    'pq/sub/a.parquet',
    `SELECT 7 AS ID, ${image(png)} AS Image, 'upper case' AS TEXT, 0.5::DOUBLE AS similarity
     UNION ALL SELECT 7, ${image(jpg)}, 'same id', NULL
     UNION ALL SELECT 8, NULL, 'no picture', NULL UNION ALL SELECT 9, ${image(png)}, '', NULL`,
  );
  await parquet(
    'pq/b.parquet',
    `SELECT 'u1' AS uid, [${image(png)}, ${image(jpg)}] AS images,
       [{'from': 'human', 'value': '<image> and <image>?'}, {'from': 'gpt', 'value': 'two'}]
       AS conversations
     UNION ALL SELECT 'u2', [], [{'from': 'human', 'value': 'hi'}, {'from': 'gpt', 'value': 'ho'}]
     UNION ALL SELECT 'u3', [${image(png)}], [{'from': 'human', 'value': '<image><image>'}]`,
  );
  const { format, samples, lost } = await read(join(root, 'pq'));
  assert.equal(format, 'parquet');
  assert.deepEqual(
    samples.map((sample) => [sample.uid, ...words(sample), sample.images.length]),
    [
      ['pq:u1', 'user: <image> and <image>?', 'assistant: two', 2],
      ['pq:u2', 'user: hi', 'assistant: ho', 0],
      ['pq:sub/a.parquet:7', 'user: <image>', 'assistant: upper case', 1],
      ['pq:sub/a.parquet:7~2', 'user: <image>', 'assistant: same id', 1],
    ],
  );
  assert.equal(samples[2]?.meta['similarity'], 0.5);
  assert.deepEqual(lost, {
    'pq:b.parquet:2': '2 <image> marks for 1 images',
    'pq:sub/a.parquet:2': 'no image',
    'pq:sub/a.parquet:3': 'the caption is empty',
  });
});

test('parquet without the columns that it needs, and a table of addresses', async () => {
  await parquet('bad/none.parquet', 'SELECT i AS score FROM range(5) r(i)');
  await parquet('bad/url.parquet', `SELECT 'http://x' AS URL, 'hello' AS TEXT FROM range(3)`);
  put('bad/torn.parquet', 'PAR1 and nothing');
  const source = await openSource(join(root, 'bad'));
  const lost = (await Array.fromAsync(readSource(source))).map((entry) => entry.lost);
  assert.deepEqual(
    lost.map((loss) => [loss?.uid, loss?.numSamples]),
    [
      ['bad:none.parquet:rest', 5],
      ['bad:torn.parquet:rest', 1],
      ['bad:url.parquet:rest', 3],
    ],
  );
  assert.match(lost[0]?.reason ?? '', /no caption, messages or conversations column, only score/);
  assert.match(lost[2]?.reason ?? '', /onevision download/);
});

test('large rows are read in windows, each once', async () => {
  const select = `SELECT i AS id, {'bytes': ${blob(png)} || encode(repeat('x', 6000))} AS image,
    'c' || i AS caption FROM range(400) r(i)`;
  const path = await parquet('wide/a.parquet', select);
  const source = await openParquet({ path }, 'wide', [oneFile(path)], 100_000);
  const ids: unknown[] = [];
  for await (const { sample } of readSource(source)) ids.push(sample?.meta['id']);
  assert.deepEqual(
    ids,
    Array.from({ length: 400 }, (_, i) => i),
  );
});

/** Everything that a source gives, in order: samples with their place in the file, and losses. */
async function account(spec: SourceSpec): Promise<{ shards: number; entries: unknown[] }> {
  const source = await openSource(spec);
  const entries: unknown[] = [];
  for await (const entry of readSource(source)) {
    if (entry.sample === undefined) entries.push(entry.lost);
    else entries.push([entry.sample.uid, entry.sample.messages.at(-1)?.content, entry.at]);
  }
  return { shards: source.shards.length, entries };
}

test('one file of JSON lines in parts gives what the whole file gives', async () => {
  const random = createRandom('lines');
  put('lines/img/a.png', png);
  const lines = Array.from({ length: 60 }, (_, i) => {
    if (i % 17 === 3) return '';
    if (i % 23 === 5) return '{"image": "img/a.png", "capt';
    const caption = `né ${i} ${'x'.repeat(random.int(90))}`;
    return JSON.stringify({ image: 'img/a.png', caption });
  });
  for (const end of ['', '\n']) {
    const path = put('lines/big.jsonl', lines.join('\n') + end);
    const whole = await account({ path });
    assert.equal(whole.shards, 1);
    assert.ok(whole.entries.length >= 55);
    for (const partBytes of [60, 333, 1000, 2500]) {
      const parts = await account({ path, partBytes });
      assert.ok(parts.shards > 1);
      assert.deepEqual(parts.entries, whole.entries, `${partBytes} bytes a part`);
    }
    // A later part alone numbers its lines as the whole file does.
    const source = await openSource({ path, partBytes: 1000 });
    const last = source.shards.at(-1);
    assert.ok(last !== undefined);
    const alone: unknown[] = [];
    for await (const { lost, sample } of source.read(last)) alone.push(lost?.uid ?? sample?.uid);
    assert.ok(alone.length > 0);
    const uidOf = (entry: unknown): unknown =>
      Array.isArray(entry) ? entry[0] : (entry as { uid: string }).uid;
    assert.deepEqual(alone, whole.entries.slice(-alone.length).map(uidOf));
  }
});

test('one parquet file in parts of whole row groups gives what the whole file gives', async () => {
  const path = join(root, 'groups', 'a.parquet');
  mkdirSync(dirname(path), { recursive: true });
  using columns = await openColumns();
  await columns.run(
    `COPY (SELECT {'bytes': ${blob(png)} || encode(repeat(chr((65 + i % 26)::INT), 500 + i))} AS image,
      'c' || i AS caption FROM range(7000) r(i))
     TO ${sqlText(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048, COMPRESSION uncompressed)`,
  );
  const whole = await account({ path });
  assert.equal(whole.shards, 1);
  assert.equal(whole.entries.length, 7000);
  const parts = await account({ path, partBytes: 3_000_000 });
  assert.ok(parts.shards > 1, `${parts.shards} parts`);
  assert.deepEqual(parts.entries, whole.entries);
});

test('JSON lines and arrays: paths below the root only, content parts, ranges', async () => {
  put('js/img/a.png', png);
  put('secret.png', png);
  symlinkSync(join(root, 'secret.png'), join(root, 'js/img/link.png'));
  const turns = [
    { from: 'human', value: '<image>\nwhat?' },
    { from: 'gpt', value: 'this' },
  ];
  const rows = [
    { id: 'a', image: 'img/a.png', conversations: turns },
    { id: 'a', image: 'img/a.png', conversations: turns },
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', image: 'img/a.png' },
            { type: 'text', text: 'q' },
          ],
        },
        { role: 'assistant', content: 'r' },
      ],
    },
    { id: 'up', image: '../secret.png', conversations: turns },
    { id: 'abs', image: join(root, 'secret.png'), conversations: turns },
    { id: 'link', image: 'img/link.png', conversations: turns },
    { id: 'none', image: 'img/none.png', conversations: turns },
    { id: 'net', image: 'http://127.0.0.1/x.png', conversations: turns },
    { id: 'nul', image: 'img/a.png', caption: 'a\0b' },
  ];
  const text = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"torn": \n\n[1]\n`;
  const path = put('js/x.jsonl', text);
  const found = await read(path);
  assert.deepEqual(
    found.samples.map(({ uid, group }) => [uid, group]),
    [
      ['x:x.jsonl:a', 'x:img/a.png'],
      ['x:x.jsonl:a~2', 'x:img/a.png'],
      ['x:x.jsonl:3', 'x:img/a.png'],
    ],
  );
  assert.deepEqual(found.samples[2]?.messages[0]?.content, '<image>q');
  assert.deepEqual(found.lost, {
    'x:x.jsonl:4': 'an image path leaves its folder',
    'x:x.jsonl:5': 'an image path leaves its folder',
    'x:x.jsonl:6': 'an image path leaves its folder',
    'x:x.jsonl:7': 'an image file is missing',
    'x:x.jsonl:8': 'an image is an address, not a path',
    'x:x.jsonl:9': 'a text has NUL characters',
    'x:x.jsonl:10': 'the JSON does not parse',
    'x:x.jsonl:12': 'the JSON is not an object',
  });
  const source = await openSource(path);
  for await (const { sample, range } of readSource(source) as AsyncIterable<{
    sample?: Sample;
    range?: { start: number; size: number };
  }>) {
    if (sample === undefined || range === undefined) continue;
    const slice = Buffer.from(text).subarray(range.start, range.start + range.size);
    assert.ok(rows.some((row) => JSON.stringify(row) === slice.toString()));
  }
  const array = put('js/y.json', JSON.stringify(rows.slice(0, 3), null, 2));
  const again = await read(array);
  assert.deepEqual(again.samples.map(words), found.samples.map(words));
  assert.deepEqual(again.lost, {});
  const torn = put('js/z.json', JSON.stringify(rows.slice(0, 3)).slice(0, -9));
  assert.match((await read(torn)).lost['z:z.json:rest'] ?? '', /ends inside/);
});

test('a folder of pictures with words beside them', async () => {
  put('dir/a/1.jpg', jpg);
  put('dir/a/1.txt', 'one');
  put('dir/2.PNG', jpg); // a JPEG by content
  put('dir/2.json', '{"caption": "two", "score": 3}');
  put('dir/3.jpg', jpg);
  put('dir/4.txt', 'alone');
  put('dir/5.xyz', 'what');
  const { format, samples, lost } = await read(join(root, 'dir'));
  assert.equal(format, 'folder');
  assert.deepEqual(
    samples.map((sample) => [sample.uid, words(sample)[1], sample.images[0]?.name]),
    [
      ['dir:2', 'assistant: two', 'img0.jpg'],
      ['dir:a/1', 'assistant: one', 'img0.jpg'],
    ],
  );
  assert.deepEqual(lost, {
    'dir:3': 'no caption, messages or conversations',
    'dir:4': 'no picture beside the words',
    'dir:5': 'neither a picture nor its words',
  });
});

test('img2dataset: archives and folders, failures from its tables', async () => {
  const members = [
    encodeTarMember('000000000.jpg', jpg),
    encodeTarMember('000000000.txt', Buffer.from('first')),
    encodeTarMember('000000000.json', Buffer.from('{"url": "http://a", "width": 64}')),
  ];
  put('i2d/00000.tar', Buffer.concat([...members, TAR_END]));
  put('i2d/00000_stats.json', '{}');
  await parquet(
    'i2d/00000.parquet',
    `SELECT '000000000' AS key, 'success' AS status, NULL::VARCHAR AS error_message
     UNION ALL SELECT '000000001', 'failed_to_download', 'HTTP Error 404'`,
  );
  put('i2d/00001/000010000.jpg', jpg);
  put('i2d/00001/000010000.txt', 'second');
  const { format, samples, lost } = await read(join(root, 'i2d'));
  assert.equal(format, 'img2dataset');
  assert.deepEqual(
    samples.map((sample) => [sample.uid, words(sample)[1]]),
    [
      ['i2d:00000.tar:000000000', 'assistant: first'],
      ['i2d:00001:000010000', 'assistant: second'],
    ],
  );
  assert.deepEqual(lost, { 'i2d:00000.tar:000000001': 'failed_to_download: HTTP Error 404' });
});
