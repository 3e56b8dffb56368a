// Our Energon layouts through Megatron-Energon and WebDataset themselves: samples equal field by field,
// the index equal to the one that Energon's own preparation writes, and back through our reader.
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256Hex } from '../../src/core/hash.ts';
import { silentLog } from '../../src/core/log.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { PackConfigSchema } from '../../src/pack/config.ts';
import type { LayoutName } from '../../src/pack/layouts/layout.ts';
import { pack } from '../../src/pack/pack.ts';
import { openPacks } from '../../src/pack/read.ts';
import type { PackedSample } from '../../src/pack/record.ts';
import { readLedger } from '../../src/sample/ledger.ts';
import type { Sample } from '../../src/sample/sample.ts';
import { needsPython, runPython } from '../support/python.ts';
import {
  TINY_PROCESSOR,
  tinySamples,
  writeSamples,
  writeTinyTokenizer,
} from '../support/tiny-data.ts';

const LAYOUTS = ['energon', 'energon-multi-turn', 'energon-unpacked'] as const;
let dir = '';
let tokenizer = '';
let samples: Sample[] = [];
/** Samples left out by the layout. */
const dropped = new Map<LayoutName, number>();

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'energon-'));
  samples = await tinySamples(120);
  await writeSamples(join(dir, 'in'), samples);
  tokenizer = await writeTinyTokenizer(dir, samples);
  for (const layout of LAYOUTS) {
    await packTo(layout, layout, 1);
    const rows = await Array.fromAsync(readLedger(join(dir, layout, 'ledger.jsonl')));
    assert.ok(rows.every((row) => row.verdict === 'drop' && /layout/.test(row.reason)));
    dropped.set(layout, rows.length);
  }
});
after(() => rmSync(dir, { recursive: true }));

async function packTo(name: string, layout: LayoutName, workers: number): Promise<void> {
  const settings = { maxTokens: 200, maxPatches: 400, maxShardBytes: 60_000, layout, workers };
  await pack({
    inputs: [{ dir: join(dir, 'in') }],
    output: join(dir, name),
    config: PackConfigSchema.parse(settings),
    tokenizer,
    processor: TINY_PROCESSOR,
    log: silentLog,
  });
}

test('another number of processes gives the same bytes, the index of Energon included', async () => {
  await packTo('again', 'energon', 2);
  const hashes = (name: string): string[] =>
    globSync('**/*', { cwd: join(dir, name) })
      .concat(globSync('.nv-meta/*', { cwd: join(dir, name) }), ['.nv-meta/.info.json'])
      .filter((file) => statSync(join(dir, name, file)).isFile())
      .map((file) => `${file} ${sha256Hex(readFileSync(join(dir, name, file)))}`)
      .sort();
  assert.ok(hashes('energon').some((line) => line.startsWith('.nv-meta/index.sqlite')));
  assert.deepEqual(hashes('again'), hashes('energon'));
});

function readAll(layout: LayoutName): Map<string, readonly PackedSample[]> {
  using packs = openPacks(join(dir, layout));
  return new Map(
    Array.from({ length: packs.numPacks }, (_, i) => {
      const { key, samples: read } = packs.read(i);
      return [key, read] as const;
    }),
  );
}

test('our reader gives back every sample that the layout holds', () => {
  const byUid = new Map(samples.map((sample) => [sample.uid, sample]));
  for (const layout of LAYOUTS) {
    const read = [...readAll(layout).values()].flat();
    assert.equal(read.length + (dropped.get(layout) ?? 0), samples.length);
    for (const { tokens, patches, copy, images, ...rest } of read) {
      const { images: expectedImages, ...expected } = byUid.get(rest.uid) ?? ({} as Sample);
      assert.deepEqual(rest, expected);
      assert.ok(tokens > 0 && patches >= 0 && copy === 0);
      const hashes = (list: typeof images): string[] => list.map(({ bytes }) => sha256Hex(bytes));
      assert.deepEqual(hashes(images), hashes(expectedImages));
    }
  }
  assert.equal(dropped.get('energon-multi-turn'), 0);
  assert.equal(dropped.get('energon-unpacked'), 0);
  const simple = samples.filter(({ images, messages }) => images.length + messages.length === 3);
  assert.equal(dropped.get('energon'), samples.length - simple.length);
});

interface Inspected {
  readonly ours: unknown;
  readonly prepared: unknown;
  readonly samples: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly webdataset: Readonly<Record<string, string>>;
}

/** An image as Energon decodes it. */
async function pixels(bytes: Uint8Array): Promise<unknown> {
  const { width, height, data } = await decodeImage(bytes);
  return { shape: [3, height, width], sha256: sha256Hex(data) };
}

async function expectedFields(
  layout: LayoutName,
  read: readonly PackedSample[],
): Promise<Record<string, unknown>> {
  const images = await Promise.all(
    read.map((sample) => Promise.all(sample.images.map(({ bytes }) => pixels(bytes)))),
  );
  const texts = (role: string): string[][] =>
    read.map(({ messages }) => messages.filter((m) => m.role === role).map((m) => m.content));
  const nothing = { patch_positions: null, fps: null, timestamp_decimal: null };
  if (layout === 'energon') {
    const lists = { prompts: texts('user').flat(), captions: texts('assistant').flat() };
    return { images: images.flat(), ...lists, ...nothing };
  }
  if (layout === 'energon-multi-turn') {
    const more = { patch_positions: read.map(() => []), fps: [], timestamp_decimal: [] };
    return { images, prompts: texts('user'), captions: texts('assistant'), ...more };
  }
  const image = images[0]?.length === 0 ? null : images[0];
  return { messages: read[0]?.messages, video: null, image, system: null };
}

test('Energon and WebDataset read the same', needsPython('energon'), async () => {
  const folders = LAYOUTS.map((layout) => join(dir, layout));
  const script = join(import.meta.dirname, 'inspect_energon.py');
  const stubs = join(import.meta.dirname, 'stubs');
  const inspected = runPython('energon', script, folders, stubs) as Record<string, Inspected>;
  for (const layout of LAYOUTS) {
    const {
      ours,
      prepared,
      samples: theirs,
      webdataset,
    } = inspected[join(dir, layout)] as Inspected;
    assert.deepEqual(ours, prepared);
    const packs = readAll(layout);
    assert.deepEqual(Object.keys(theirs).sort(), [...packs.keys()].sort());
    let numParts = 0;
    for (const [key, read] of packs) {
      assert.deepEqual(theirs[key], await expectedFields(layout, read), `${layout} ${key}`);
      for (const { name, bytes } of read.flatMap(({ images }) => images)) {
        const parts = Object.entries(webdataset).filter(([part]) => part.startsWith(`${key}.`));
        assert.ok(
          parts.some(([, hash]) => hash === sha256Hex(bytes)),
          `${key} ${name}`,
        );
        numParts += 1;
      }
    }
    assert.equal(Object.keys(webdataset).length, numParts + packs.size);
  }
});

test('the files of Energon are there in both spellings', () => {
  const meta = (name: string): string =>
    readFileSync(join(dir, 'energon', '.nv-meta', name), 'utf8');
  const { shard_counts: counts } = JSON.parse(meta('.info.json'));
  assert.ok(Object.keys(counts).length > 1);
  for (const [name, count] of Object.entries(counts)) {
    assert.match(meta('.info.yaml'), new RegExp(`^  ${name}: ${count}$`, 'm'));
    assert.match(meta('split.yaml'), new RegExp(`^  - ${name}$`, 'm'));
  }
  assert.match(
    meta('index.uuid'),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
