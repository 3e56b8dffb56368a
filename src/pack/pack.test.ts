// The pack stage on small data: read-back equals what went in, mixes are exact, kills and repeats
// change no byte, bad input is named.
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { digestFolder, readPacks, runPack } from '../../test/support/pack-stage.ts';
import {
  TINY_PROCESSOR,
  tinySamples,
  writeSamples,
  writeTinyTokenizer,
} from '../../test/support/tiny-data.ts';
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { readLedger } from '../sample/ledger.ts';
import { type Manifest, readManifest } from '../sample/manifest.ts';
import type { Sample } from '../sample/sample.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { PackConfigSchema, type PackInput, type PackSettings } from './config.ts';
import { measureSample } from './lengths.ts';
import { drawCounts } from './mixture.ts';
import { openPacks } from './read.ts';
import type { PackedSample } from './record.ts';
import { surveyPacks } from './report/collect.ts';
import { packReportHtml } from './report/html.ts';
import { SampleFetcher } from './write/fetch.ts';
import { allocatePlacement } from './write/placement.ts';

const SETTINGS = { maxTokens: 200, maxPatches: 400, maxSegments: 16, seed: 3 };
let dir = '';
let tokenizer = '';
let samples: Sample[] = [];

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pack-'));
  samples = await tinySamples(300);
  await writeSamples(join(dir, 'in'), samples);
  tokenizer = await writeTinyTokenizer(dir, samples);
});
after(() => rmSync(dir, { recursive: true }));

function run(
  name: string,
  settings: PackSettings = SETTINGS,
  inputs: readonly PackInput[] = [{ dir: join(dir, 'in') }],
): Promise<Manifest> {
  return runPack({ inputs, output: join(dir, name), tokenizer, settings });
}

function readAll(name: string): PackedSample[] {
  return readPacks(join(dir, name)).flatMap((record) => record.samples);
}

function digest(name: string): string[] {
  return digestFolder(join(dir, name));
}

test('every sample is read back exactly once with its bytes', async () => {
  const manifest = await run('all');
  const read = readAll('all');
  assert.equal(read.length, samples.length);
  const byUid = new Map(read.map((sample) => [sample.uid, sample]));
  for (const sample of samples) {
    const back = byUid.get(sample.uid);
    assert.ok(back !== undefined);
    const { tokens, patches, copy, images, ...rest } = back;
    assert.ok(tokens > 0 && patches >= 0 && copy === 0);
    const { images: expectedImages, ...expected } = sample;
    assert.deepEqual(rest, expected);
    assert.deepEqual(
      images.map((image) => sha256Hex(image.bytes)),
      expectedImages.map((image) => sha256Hex(image.bytes)),
    );
  }
  assert.equal(manifest.counts['samples'], samples.length);
  assert.ok(Number(manifest.stats['fill']) > 0.95);
});

test('packs keep their budgets and the lengths are those of the one function', async () => {
  await run('all');
  using packs = openPacks(join(dir, 'all'));
  const open = loadTokenizer(tokenizer);
  for (let index = 0; index < packs.numPacks; index += 1) {
    const record = packs.read(index);
    const total = (of: (sample: PackedSample) => number): number =>
      record.samples.reduce((sum, sample) => sum + of(sample), 0);
    assert.ok(total((sample) => sample.tokens) <= SETTINGS.maxTokens);
    assert.ok(total((sample) => sample.patches) <= SETTINGS.maxPatches);
    assert.ok(record.samples.length <= SETTINGS.maxSegments);
    for (const { tokens, patches, ...sample } of record.samples) {
      const measured = await measureSample(sample, { tokenizer: open, processor: TINY_PROCESSOR });
      assert.deepEqual(measured, { tokens, patches });
    }
  }
});

test('the same settings give the same bytes, and a finished stage is not run again', async () => {
  await run('first', { ...SETTINGS, maxShardBytes: 50_000 });
  await run('second', { ...SETTINGS, maxShardBytes: 50_000 });
  const first = digest('first');
  assert.deepEqual(digest('second'), first);
  assert.ok(first.filter((line) => line.includes('.tar ')).length > 2);
  // What a kill between the manifest and the end leaves.
  const { configHash } = readManifest(join(dir, 'first'));
  mkdirSync(join(dir, 'first', `.work-${configHash}`, 'write'), { recursive: true });
  writeFileSync(join(dir, 'first', `.work-${configHash}`, 'write', 'task.json'), '{}');
  await run('first', { ...SETTINGS, maxShardBytes: 50_000 });
  assert.deepEqual(digest('first'), first);
});

test('work that another version left unfinished is begun anew', async () => {
  const { configHash } = await run('fresh');
  const work = join(dir, 'old', `.work-${configHash}-1`);
  mkdirSync(join(work, 'measure', 'done'), { recursive: true });
  mkdirSync(join(dir, 'old', 'lengths'));
  writeFileSync(join(dir, 'old', 'lengths', '000000.parquet'), 'of another shape');
  await run('old');
  assert.deepEqual(digest('old'), digest('fresh'));
});

test('a mix draws exact counts and repeats what it must', async () => {
  await writeSamples(join(dir, 'other'), await tinySamples(50, 1, 'other'));
  const inputs = [
    { dir: join(dir, 'in'), weight: 2 },
    { dir: join(dir, 'other'), weight: 1 },
  ];
  await run('mix', { ...SETTINGS, samples: 240 }, inputs);
  const read = readAll('mix');
  const other = read.filter((sample) => sample.source === 'other');
  assert.deepEqual([read.length, other.length], [240, 80]);
  const seen = new Set(other.map((sample) => `${sample.uid}/${sample.copy}`));
  assert.equal(seen.size, 80);
  assert.equal(other.filter((sample) => sample.copy === 1).length, 30);
});

test('counts of a mix', () => {
  assert.deepEqual(
    drawCounts([{}, { epochs: 2.5 }, { count: 7 }], [10, 4, 3], undefined),
    [10, 10, 7],
  );
  assert.deepEqual(
    drawCounts([{ weight: 1 }, { weight: 1 }, { weight: 1 }], [9, 9, 9], 10),
    [4, 3, 3],
  );
  assert.deepEqual(drawCounts([{ count: 4 }, { weight: 5 }], [9, 9], 10), [4, 6]);
  const code = (expected: string) => (error: unknown) =>
    error instanceof OneVisionError && error.code === expected;
  assert.throws(() => drawCounts([{ weight: 1 }], [9], undefined), code('recipe'));
  assert.throws(() => drawCounts([{ count: 8 }, { weight: 1 }], [9, 9], 7), code('recipe'));
  assert.throws(() => drawCounts([{ count: 8 }], [0], undefined), code('data'));
});

test('samples longer than a pack are listed by uid, not cut', async () => {
  await run('narrow', { ...SETTINGS, maxTokens: 40 });
  const rows = await Array.fromAsync(readLedger(join(dir, 'narrow', 'ledger.jsonl')));
  assert.ok(rows.length > 0);
  assert.equal(readAll('narrow').length + rows.length, samples.length);
  assert.ok(rows.every((row) => row.verdict === 'drop' && (row.score ?? 0) > 40));
  assert.ok(rows.every((row) => samples.some((sample) => sample.uid === row.uid)));
});

test('an unknown key of the settings is an error that names it', () => {
  const parsed = PackConfigSchema.safeParse({ maxTokns: 5 });
  assert.match(parsed.error?.message ?? '', /maxTokns/);
});

test('broken samples are skipped below the limit and fatal above it', async () => {
  const broken = samples.slice(0, 100).map((sample, index) =>
    index % 2 === 0 || sample.images.length === 0
      ? sample
      : {
          ...sample,
          images: sample.images.map((image) => ({ ...image, bytes: Buffer.from('no') })),
        },
  );
  await writeSamples(join(dir, 'broken'), broken);
  await assert.rejects(
    run('broken-packs', SETTINGS, [{ dir: join(dir, 'broken') }]),
    (error) =>
      error instanceof OneVisionError && error.code === 'data' && /bad samples/.test(error.message),
  );
  const manifest = await run('broken-packs', { ...SETTINGS, maxSkipRate: 0.6 }, [
    { dir: join(dir, 'broken') },
  ]);
  const { samples: kept = 0, skipped = 0 } = manifest.counts;
  assert.ok(skipped > 10);
  assert.equal(kept + skipped, 100);
});

test('a truncated input shard loses only what was cut off', async () => {
  cpSync(join(dir, 'in'), join(dir, 'cut'), { recursive: true });
  const shard = join(dir, 'cut', 'shard-000001.tar');
  truncateSync(shard, Math.floor(readFileSync(shard).length / 2));
  const manifest = await run('cut-packs', { ...SETTINGS, maxSkipRate: 0.5 }, [
    { dir: join(dir, 'cut') },
  ]);
  const { samples: kept = 0, skipped = 0 } = manifest.counts;
  assert.equal(kept + skipped, samples.length);
  assert.ok(kept > 240 && skipped > 30);
});

test('a damaged pack shard, an unfinished stage and an empty input are named', async () => {
  await run('damaged');
  const shard = join(dir, 'damaged', 'packs-000000.tar');
  truncateSync(shard, 5000);
  using packs = openPacks(join(dir, 'damaged'));
  const named = (pattern: RegExp) => (error: unknown) =>
    error instanceof OneVisionError && error.code === 'data' && pattern.test(error.message);
  assert.throws(() => packs.read(packs.numPacks - 1), named(/packs-000000\.tar/));
  assert.throws(() => openPacks(join(dir, 'nowhere')), named(/manifest/));
  assert.throws(() => openPacks(join(dir, 'in')), named(/packs/));
  await writeSamples(join(dir, 'empty'), []);
  await assert.rejects(run('empty-packs', SETTINGS, [{ dir: join(dir, 'empty') }]), named(/empty/));
  assert.equal(readManifest(join(dir, 'damaged')).kind, 'packs');
});

test('the second of two samples with one uid is left out and listed', async () => {
  const twice = [...samples.slice(0, 150), ...samples.slice(0, 3)];
  await writeSamples(join(dir, 'twice'), twice);
  const manifest = await run('twice-packs', SETTINGS, [{ dir: join(dir, 'twice') }]);
  assert.deepEqual([manifest.counts['samples'], manifest.counts['skipped']], [150, 3]);
  const rows = await Array.fromAsync(readLedger(join(dir, 'twice-packs', 'ledger.jsonl')));
  assert.deepEqual(
    rows.map(({ uid, verdict }) => [uid, verdict]).sort(),
    samples
      .slice(0, 3)
      .map(({ uid }) => [uid, 'error'])
      .sort(),
  );
});

test('a record that is not where it was measured is named', async () => {
  const path = join(dir, 'in', 'shard-000000.tar');
  const bytes = readFileSync(path);
  const moved = join(dir, 'moved.tar');
  writeFileSync(moved, bytes.subarray(0, 4096));
  const context = { name: 'in', imageRoot: dir };
  const archives = [moved, path].map((name) => ({ path: name, source: 0, context }));
  const fetcher = new SampleFetcher(archives, []);
  const placement = allocatePlacement(0, 3, 3);
  placement.ends.set([0, 1, 2, 3]);
  placement.starts.set([2048, 100, 0]);
  placement.sizes.set([4096, 4096, 512]);
  placement.files.set([0, 1, 1]);
  for (const [record, pattern] of [
    /the file is cut/,
    /damaged header/,
    /cut in member/,
  ].entries()) {
    await assert.rejects(
      fetcher.fetch(placement, record),
      (error) => error instanceof OneVisionError && pattern.test(error.message),
    );
  }
  fetcher.close();
});

test('no capacity and a patch budget below every image are refused', async () => {
  for (const settings of [{ maxTokens: 0 }, { maxPatches: 0 }, { maxSegments: 0 }]) {
    assert.equal(PackConfigSchema.safeParse(settings).success, false);
  }
  const pictures = samples.filter(({ images }) => images.length > 0).slice(0, 20);
  await writeSamples(join(dir, 'pictures'), pictures);
  await assert.rejects(
    run('few-patches', { ...SETTINGS, maxPatches: 2 }, [{ dir: join(dir, 'pictures') }]),
    (error) => error instanceof OneVisionError && /patch/i.test(error.message),
  );
});

test('the report is one page with the numbers of the manifest', async () => {
  const manifest = await run('all');
  const survey = await surveyPacks(join(dir, 'all'), 3);
  assert.equal(survey.shown.length, 3);
  assert.equal(
    survey.segments.counts.reduce((a, b) => a + b),
    manifest.counts['packs'],
  );
  assert.deepEqual(
    survey.sources.map(({ name, samples: count }) => [name, count]),
    [['tiny', samples.length]],
  );
  assert.ok(survey.balance.every(({ random, arranged }) => random > 0 && arranged >= random));
  assert.ok(survey.balance.every(({ arranged }) => arranged > 0.9 && arranged <= 1));
  const html = await packReportHtml(survey);
  assert.doesNotMatch(html, /(src|href)="(?!data:)/);
  assert.match(html, /data:image\/jpeg;base64,/);
  assert.match(html, new RegExp(`${manifest.counts['packs']} packs`));
});
