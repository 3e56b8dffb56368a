// Packs straight from every format of samples: the same packs from the same samples, whatever is killed
// and however many work; names that come twice; files that change on the way.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  digestFolder,
  type PackRun,
  readPacks,
  runPack,
  runPackInChild,
} from '../../test/support/pack-stage.ts';
import { tinySamples, writeTinyTokenizer } from '../../test/support/tiny-data.ts';
import { OneVisionError } from '../core/errors.ts';
import { coin, sha256Hex } from '../core/hash.ts';
import { openColumns, sqlText } from '../sample/columns.ts';
import type { Sample } from '../sample/sample.ts';
import { SINK_FORMATS } from '../sample/sinks/formats.ts';
import { createSink } from '../sample/sinks/sink.ts';
import { openSource } from '../sample/sources/open.ts';
import { encodeTarMember, TAR_END } from '../sample/tar.ts';
import type { PackedSample } from './record.ts';
import { SampleFetcher } from './write/fetch.ts';
import { allocatePlacement } from './write/placement.ts';

/** Times a running stage is killed, for each format; 20 by `ONEVISION_KILLS=20`. */
const NUM_KILLS = Number(process.env['ONEVISION_KILLS'] ?? 2);
const SETTINGS = { maxTokens: 200, maxPatches: 400, maxSegments: 16, seed: 3 };
const SHARDED = { ...SETTINGS, maxShardBytes: 50_000 };
let dir = '';
let tokenizer = '';
let samples: Sample[] = [];
let pictured: Sample[] = [];

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pack-formats-'));
  samples = await tinySamples(300);
  pictured = samples.filter(({ images }) => images.length === 1).slice(0, 20);
  tokenizer = await writeTinyTokenizer(dir, samples);
  for (const format of SINK_FORMATS) {
    const sink = createSink(format, join(dir, format), { maxSamples: 100 });
    for (const sample of samples) await sink.write(sample);
    await sink.close();
  }
});
after(() => rmSync(dir, { recursive: true }));

function job(output: string, inputs: readonly string[], settings: object = SETTINGS): PackRun {
  const all = inputs.map((input) => ({ dir: join(dir, input) }));
  return { inputs: all, output: join(dir, output), tokenizer, settings };
}

function samplesOf(output: string): PackedSample[] {
  return readPacks(join(dir, output)).flatMap((pack) => pack.samples);
}

function image(sample: Sample | undefined): Buffer {
  return Buffer.from(sample?.images[0]?.bytes ?? []);
}

test('the same samples give the same packs from every format', async () => {
  for (const format of SINK_FORMATS) {
    await runPack(job(`packs-${format}`, [format], { ...SETTINGS, workers: 2 }));
  }
  const expected = readPacks(join(dir, 'packs-webdataset'));
  assert.equal(expected.flatMap((pack) => pack.samples).length, samples.length);
  for (const format of SINK_FORMATS) {
    assert.deepEqual(readPacks(join(dir, `packs-${format}`)), expected, format);
  }
});

for (const format of SINK_FORMATS) {
  test(`kill -9 at any point, and any number of processes, change no byte: ${format}`, async () => {
    const [whole, timed, killed] = ['whole', 'timed', 'killed'].map((name) => `${name}-${format}`);
    await runPack(job(whole ?? '', [format], { ...SHARDED, workers: 1 }));
    const expected = digestFolder(join(dir, whole ?? ''));
    assert.ok(expected.filter((line) => line.includes('.tar ')).length > 2);
    const start = performance.now();
    await runPackInChild(job(timed ?? '', [format], { ...SHARDED, workers: 2 }));
    const fullMs = performance.now() - start;
    assert.deepEqual(digestFolder(join(dir, timed ?? '')), expected);
    for (let kill = 0; kill < NUM_KILLS; kill += 1) {
      const workers = [1, 2, 5][kill % 3] ?? 1;
      const afterMs = fullMs * (0.3 + 0.7 * coin('kill', format, kill));
      await runPackInChild(job(killed ?? '', [format], { ...SHARDED, workers }), afterMs);
    }
    await runPack(job(killed ?? '', [format], { ...SHARDED, workers: 5 }));
    assert.deepEqual(digestFolder(join(dir, killed ?? '')), expected);
  });
}

test('sources of other formats are packed with their own bytes', async () => {
  const lines = pictured.map(({ uid, messages, ...sample }) => {
    const url = `data:image/png;base64,${image({ uid, messages, ...sample }).toString('base64')}`;
    return JSON.stringify({ id: uid, messages, images: [url] });
  });
  put('lines/a.jsonl', `${lines.join('\n')}\n`);
  const members = pictured.flatMap((sample, i) => [
    encodeTarMember(`${i}.png`, image(sample)),
    encodeTarMember(`${i}.txt`, Buffer.from(`picture ${i}`)),
  ]);
  put('foreign/a.tar', Buffer.concat([...members, TAR_END]));
  mkdirSync(join(dir, 'table'));
  const rows = pictured.map((sample, i) => {
    const bytes = `from_base64('${image(sample).toString('base64')}')`;
    return `SELECT {'bytes': ${bytes}, 'path': '${i}.png'} AS image, 'picture ${i}' AS caption`;
  });
  using columns = await openColumns();
  const to = sqlText(join(dir, 'table', 'a.parquet'));
  await columns.run(`COPY (${rows.join(' UNION ALL ')}) TO ${to} (FORMAT parquet)`);
  for (const [i, sample] of pictured.entries()) {
    put(`folder/${i}.png`, image(sample));
    put(`folder/${i}.txt`, `picture ${i}`);
    put(`crawl/00000/${i}.png`, image(sample));
    put(`crawl/00000/${i}.txt`, `picture ${i}`);
  }
  put('crawl/00000_stats.json', '{}');
  const inputs = ['lines', 'foreign', 'table', 'folder', 'crawl'];
  await runPack(job('formats', inputs));
  const read = samplesOf('formats');
  const hashes = (list: readonly Sample[]): string[] =>
    list.map((sample) => sha256Hex(image(sample))).sort();
  assert.deepEqual(hashes(read), hashes(inputs.flatMap(() => pictured)));
  for (const input of inputs.slice(1)) {
    const said = read.filter(({ source }) => source === input);
    const words = said.map(({ messages }) => messages[1]?.content);
    assert.deepEqual(words.sort(), pictured.map((_, i) => `picture ${i}`).sort(), input);
  }
});

test('rows that share a name keep the uid that reading gives them', async () => {
  const url = `data:image/png;base64,${image(pictured[0]).toString('base64')}`;
  const line = (id: string | undefined, text: string): string =>
    JSON.stringify({ id, image: url, caption: text });
  const lines = [
    line('a', 'one'),
    line('a~2', 'two'),
    '',
    line('a', 'three'),
    line(undefined, 'x'),
  ];
  put('names/a.jsonl', lines.join('\n'));
  const expected = new Map<string, string>();
  const source = await openSource({ path: join(dir, 'names'), name: 'names' });
  for (const shard of source.shards) {
    for await (const { sample } of source.read(shard)) {
      if (sample !== undefined) expected.set(sample.uid, sample.messages[1]?.content ?? '');
    }
  }
  // The third is another `a~2`: left out as the second of one uid.
  await runPack(job('names-packs', ['names'], { ...SETTINGS, maxSkipRate: 0.5 }));
  const found = samplesOf('names-packs').map(({ uid, messages }) => [uid, messages[1]?.content]);
  assert.deepEqual(found.sort(), [
    ['names:a.jsonl:5', 'x'],
    ['names:a.jsonl:a', 'one'],
    ['names:a.jsonl:a~2', 'two'],
  ]);
  assert.ok(found.every(([uid = '']) => expected.has(uid)));
  put('twice/a.jsonl', [line('a', 'one'), line('a', 'two')].join('\n'));
  await runPack(job('twice-packs', ['twice']));
  const uids = samplesOf('twice-packs').map(({ uid, messages }) => [uid, messages[1]?.content]);
  assert.deepEqual(uids.sort(), [
    ['twice:a.jsonl:a', 'one'],
    ['twice:a.jsonl:a~2', 'two'],
  ]);
});

test('a row or a line that is not where it was measured is named', async () => {
  put('moved/a.jsonl', readFileSync(join(dir, 'jsonl', 'shard-000000.jsonl')));
  truncateSync(join(dir, 'moved', 'a.jsonl'), 1000);
  const cases = [
    { folder: 'moved', shard: 'a.jsonl', start: 900, pattern: /the file ends before/ },
    { folder: 'moved', shard: 'a.jsonl', start: 5, pattern: /does not parse/ },
    { folder: 'parquet', shard: 'shard-000000.parquet', start: 100, pattern: /ends before/ },
  ];
  for (const { folder, shard, start, pattern } of cases) {
    const path = join(dir, folder);
    const context = { name: folder, shard, imageRoot: path };
    const fetcher = new SampleFetcher([{ source: 0, context }], [{ path, name: folder }]);
    const placement = allocatePlacement(0, 1, 1);
    placement.ends.set([0, 1]);
    placement.starts.set([start]);
    placement.sizes.set([200]);
    await assert.rejects(
      fetcher.gather(placement),
      (error) =>
        error instanceof OneVisionError && error.code === 'data' && pattern.test(error.message),
    );
    fetcher.close();
  }
});

function put(name: string, content: string | Buffer): void {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), content);
}
