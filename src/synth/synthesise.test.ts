// The stage on a drawn corpus: same bytes again, resumed bytes equal, held-out never in training.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '../core/log.ts';
import { readManifest, writeManifest } from '../sample/manifest.ts';
import type { Sample, Split } from '../sample/sample.ts';
import { createShardWriter, readSamples } from '../sample/webdataset.ts';
import { HELD_OUT_SETS, type SynthConfigInput, type SynthSetInput } from './config.ts';
import { synthesise } from './synthesise.ts';
import { dottedDigits, drawDisc, encode } from './testing.ts';
import { writeSet } from './write-set.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-synth-'));
const corpus = join(root, 'corpus');
const digits = { id: 'dots', load: () => ({ train: dottedDigits(), heldOut: dottedDigits() }) };
const TRAIN: readonly SynthSetInput[] = [
  { name: 'caption', task: 'caption', count: 30, yesNo: 0.5 },
  { name: 'numbers-1', task: 'numbers', count: 10, lengths: [1, 0, 0], jitter: 0.2 },
  { name: 'counting', task: 'counting', count: 25, extras: true },
];
const config: SynthConfigInput = {
  seed: 5,
  samplesPerShard: 10,
  sets: [...TRAIN, ...HELD_OUT_SETS.map((set) => ({ ...set, count: Math.min(set.count, 8) }))],
};
const run = (output: string, settings: SynthConfigInput = config) =>
  synthesise({ inputs: [corpus], output, config: settings, digits, log: silentLog });

test.before(async () => {
  const writer = createShardWriter(corpus);
  for (const style of ['round', 'flat', 'new']) {
    for (let thing = 0; thing < 20; thing++) await writer.write(await drawn(style, thing));
  }
  const files = await writer.close();
  await writeManifest(corpus, {
    format: 'onevision/1',
    kind: 'samples',
    stage: 'curate',
    configHash: 'drawn',
    counts: { samples: 60 },
    files,
    stats: {},
  });
});
test.after(() => rmSync(root, { recursive: true, force: true }));

async function drawn(style: string, thing: number): Promise<Sample> {
  const split: Split = thing < 12 ? 'train' : thing < 16 ? 'val' : 'test';
  const bytes = await encode(drawDisc(28, [10 * thing, 40, 200]));
  return {
    uid: `${style}:${thing}`,
    source: style,
    group: `thing:${thing}`,
    split,
    messages: [{ role: 'user', content: '<image>' }],
    images: [{ name: 'img0.png', bytes }],
    meta: { label: `thing ${thing}`, tags: ['disc'], heldOutStyle: style === 'new', concepts: [] },
  };
}

async function samplesOf(folder: string): Promise<Sample[]> {
  return Array.fromAsync(readSamples(folder));
}

test('the same settings give the same bytes, and a second run does nothing', async () => {
  const sets = await run(join(root, 'a'));
  await run(join(root, 'b'));
  for (const { name, folder, samples } of sets) {
    const twin = folder.replace(join(root, 'a'), join(root, 'b'));
    assert.deepEqual(readManifest(folder), readManifest(twin), name);
    assert.equal((await samplesOf(folder)).length, samples);
  }
  const before = performance.now();
  await run(join(root, 'a'));
  assert.ok(performance.now() - before < 1000);
});

test('held-out sets show only what training never shows', async () => {
  const groupsOf = async (set: string): Promise<Set<string>> =>
    new Set((await samplesOf(join(root, 'a', set))).map((sample) => sample.group));
  const trained = await groupsOf('train/caption');
  assert.ok([...trained].every((group) => Number(group.split(':')[1]) < 12));
  const unseen = await groupsOf('heldout/unseen-concepts');
  assert.equal(unseen.size, 8);
  assert.ok(unseen.isDisjointFrom(trained));
  const style = await samplesOf(join(root, 'a/heldout/unseen-style'));
  assert.equal(style.length, 12);
  for (const { split, meta, group } of style) {
    assert.equal(split, 'test');
    assert.ok(Array.isArray(meta['options']) && meta['options'].includes(meta['answer'] ?? null));
    assert.ok(trained.has(group));
  }
  const train = await samplesOf(join(root, 'a/train/caption'));
  assert.ok(train.every((sample) => sample.split === 'train'));
});

test('a training set sees training digits only, a held-out set the others', async () => {
  const sets: SynthSetInput[] = [{ name: 'n', task: 'numbers', count: 3, pool: 'train' }];
  const none = { id: 'none', load: () => ({ train: [], heldOut: dottedDigits() }) };
  const options = { inputs: [corpus], output: join(root, 'digits'), digits: none, log: silentLog };
  await assert.rejects(
    synthesise({ ...options, config: { sets } }),
    /expected digits in the pool train/,
  );
  const heldOut = sets.map((set): SynthSetInput => ({ ...set, pool: 'unseen-concepts' }));
  await synthesise({ ...options, config: { sets: heldOut } });
});

test('stopped and run again: only missing shards are made, bytes are equal', async () => {
  const whole = join(root, 'a/train/counting');
  const { configHash: hash, stats } = readManifest(whole);
  const samples = await samplesOf(whole);
  const folder = join(root, 'resumed');
  const named = { source: 'counting', path: 'train/counting', split: 'train' } as const;
  const plan = { ...named, stats, folder, hash, samplesPerShard: 10 };
  const made: number[] = [];
  const draft = (index: number, stopAt: number) => {
    if (index === stopAt) throw new Error('power cut');
    made.push(index);
    const { group, messages, meta, images } = samples[index] ?? assert.fail();
    return { image: images[0] ?? assert.fail(), group, messages, meta };
  };
  const stopped = { count: 25, draft: (index: number) => draft(index, 17) };
  await assert.rejects(writeSet(stopped, plan), /power cut/);
  assert.ok(!existsSync(join(folder, 'manifest.json')));
  made.length = 0;
  await writeSet({ count: 25, draft: (index) => draft(index, -1) }, plan);
  assert.equal(Math.min(...made), 10, 'the first shard is not made again');
  assert.deepEqual(readManifest(folder).files, readManifest(whole).files);
  for (const { name } of readManifest(whole).files) {
    assert.deepEqual(readFileSync(join(folder, name)), readFileSync(join(whole, name)));
  }
});

test('other settings replace a set and leave no old shard', async () => {
  const output = join(root, 'changed');
  const sets: SynthSetInput[] = [{ name: 'counting', task: 'counting', count: 25 }];
  await run(output, { ...config, sets });
  await run(output, { ...config, sets: [{ name: 'counting', task: 'counting', count: 5 }] });
  const files = readManifest(join(output, 'train/counting')).files.map((file) => file.name);
  assert.deepEqual(files, ['train-000000.tar']);
  assert.ok(!existsSync(join(output, 'train/counting/train-000001.tar')));
});

test('an unknown or wrong setting names its field', async () => {
  const wrong = { sets: [{ name: 'n', task: 'numbers', count: 1, digitz: 2 }] };
  await assert.rejects(run(join(root, 'x'), wrong as unknown as SynthConfigInput), /digitz/);
  const twice = { sets: [...TRAIN, ...TRAIN] };
  await assert.rejects(run(join(root, 'x'), twice), { code: 'recipe' });
  const jitter = { sets: [{ name: 'n', task: 'numbers' as const, count: 1, jitter: 2 }] };
  await assert.rejects(run(join(root, 'x'), jitter), /jitter/);
});

test('an empty pool and a missing input are named', async () => {
  const sets: SynthSetInput[] = [{ name: 'n', task: 'choice', count: 0, pool: 'unseen-both' }];
  await run(join(root, 'both'), { sets });
  const folder = join(root, 'nothing');
  await assert.rejects(
    synthesise({ inputs: [folder], output: root, config: { sets }, digits, log: silentLog }),
    { code: 'data' },
  );
});
