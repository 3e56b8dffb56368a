// What goes into a sink of any format comes back from its source as it was.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { drawPng, drawSvg, rawSample } from '../../../test/support/raw-samples.ts';
import { sha256Hex } from '../../core/hash.ts';
import { openColumns } from '../columns.ts';
import type { Sample } from '../sample.ts';
import { openSource } from '../sources/open.ts';
import { readSource } from '../sources/source.ts';
import { SINK_FORMATS } from './formats.ts';
import { createSink } from './sink.ts';

const root = mkdtempSync(join(tmpdir(), 'sinks-'));
after(() => rmSync(root, { recursive: true }));

async function samples(): Promise<Sample[]> {
  const list = await Promise.all(
    Array.from({ length: 7 }, async (_, i) => {
      const image = await drawPng(drawSvg(i + 1));
      return await rawSample({
        uid: `s:${i}`,
        label: `thing "${i}" é\n`,
        image,
        meta: { n: i, deep: { a: [null, 'b'] } },
      });
    }),
  );
  const [first, second] = list;
  assert.ok(first && second);
  const images = [
    ...first.images,
    ...second.images.map((image) => ({ ...image, name: 'img1.png' })),
  ];
  const messages = [
    { role: 'system', content: 'be short' },
    { role: 'user', content: '<image> or <image>?' },
    { role: 'assistant', content: 'both' },
  ] as const;
  return [
    ...list,
    { ...first, uid: 'two', images, messages },
    { ...second, uid: 'none', images: [], messages: messages.slice(2) },
  ];
}

for (const format of SINK_FORMATS) {
  test(`${format}: there and back, over several shards, the same bytes each time`, async () => {
    const list = await samples();
    const dirs = ['a', 'b'].map((name) => join(root, format, name));
    for (const dir of dirs) {
      const sink = createSink(format, dir, { prefix: 'train', maxSamples: 4 });
      for (const sample of list) await sink.write(sample);
      const files = await sink.close();
      assert.deepEqual(files.map(({ name }) => name).sort(), readdirSync(dir).sort());
      assert.equal(
        files.reduce((sum, { count }) => sum + count, 0),
        list.length,
      );
      for (const { name, bytes, sha256 } of files) {
        const data = readFileSync(join(dir, name));
        assert.deepEqual([data.length, sha256Hex(data)], [bytes, sha256], name);
      }
      const source = await openSource(dir);
      assert.equal(source.format, format);
      const entries = await Array.fromAsync(readSource(source));
      const back = entries.map(
        ({ sample }) =>
          sample && {
            ...sample,
            images: sample.images.map((image) => ({ ...image, bytes: Buffer.from(image.bytes) })),
          },
      );
      const expected = list.map((sample) => ({
        ...sample,
        images: sample.images.map((image) => ({ ...image, bytes: Buffer.from(image.bytes) })),
      }));
      assert.deepEqual(back, expected);
    }
    const [a = '', b = ''] = dirs;
    for (const name of readdirSync(a)) {
      assert.deepEqual(readFileSync(join(a, name)), readFileSync(join(b, name)), name);
    }
  });
}

test('the parquet says in its footer what Hugging Face wants to know', async () => {
  using columns = await openColumns();
  const path = join(root, 'parquet', 'a', 'train-000000.parquet');
  const sql = 'SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata($1)';
  for await (const rows of columns.batches(sql, [path])) {
    const row = rows.find(({ k }) => k === 'huggingface');
    const { info } = JSON.parse(String(row?.['v']));
    assert.deepEqual(info.features.images, [{ _type: 'Image' }]);
  }
});

test('a range that lies outside of its file is a named loss', async () => {
  const dir = join(root, 'ranges');
  const sink = createSink('jsonl', dir);
  for (const sample of await samples()) await sink.write(sample);
  await sink.close();
  const path = join(dir, 'shard-000000.jsonl');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"offset":\d+/, '"offset":99999999'));
  const [first] = await Array.fromAsync(readSource(await openSource(dir)));
  assert.match(first?.lost?.reason ?? '', /beyond the end/);
});
