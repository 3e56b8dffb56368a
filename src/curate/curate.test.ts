// Curation end to end on a small drawn corpus: the funnel, the ledger, junk concepts, kill and resume.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { killFirstChild } from '../../test/support/kill-child.ts';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../test/support/raw-samples.ts';
import { OneVisionError } from '../core/errors.ts';
import { coin, sha256Hex } from '../core/hash.ts';
import { silentLog } from '../core/log.ts';
import { decodeImage } from '../image/decode.ts';
import { readConceptTable } from '../sample/concept-table.ts';
import { type LedgerRow, readLedger } from '../sample/ledger.ts';
import type { Manifest } from '../sample/manifest.ts';
import type { Sample } from '../sample/sample.ts';
import { readSamples } from '../sample/webdataset.ts';
import type { CurateInput } from './config.ts';
import { curate } from './curate.ts';
import { openHook } from './filters/hooks.ts';

const root = mkdtempSync(join(tmpdir(), 'curate-'));
after(() => rmSync(root, { recursive: true }));

const LEMMAS = 'cat dog flag star tree fish theme wed aug skin tone flat icon'.split(' ');
function run(
  input: string,
  output: string,
  config: CurateInput = {},
  workers: number = 1,
): Promise<Manifest> {
  const folders = { input: join(root, input), output: join(root, output) };
  return curate({ ...folders, config, lemmas: LEMMAS, workers, log: silentLog });
}

async function ledger(output: string): Promise<Map<string, LedgerRow>> {
  const rows = await Array.fromAsync(readLedger(join(root, output, 'ledger.jsonl')));
  assert.equal(new Set(rows.map((row) => row.uid)).size, rows.length, 'one row an input');
  return new Map(rows.map((row) => [row.uid, row]));
}

/** 40 things, a tone variant of each tenth, 12 titles of a collection, and bad ones. */
async function makeCorpus(): Promise<Sample[]> {
  const list: Sample[] = [];
  const names = ['cat', 'dog', 'flag', 'flag', 'flag', 'star', 'tree', 'fish'];
  for (let i = 0; i < 40; i++) {
    const label = `${names[i % names.length]} number ${i}`;
    list.push(await rawSample({ uid: `d:${100 + i}`, label, group: `g${i}` }));
    if (i % 10 !== 0) continue;
    const meta = { variantOf: `d:${100 + i}`, tone: '1' };
    const toned = `${label}: light skin tone`;
    list.push(await rawSample({ uid: `d:${100 + i}-t`, label: toned, group: `g${i}`, meta }));
  }
  for (let i = 0; i < 12; i++) {
    const label = `Part of the Flat Icon theme (Wed Aug 25 ${i})`;
    list.push(await rawSample({ uid: `d:icon${i}`, label }));
  }
  const twin = await drawPng(drawSvg(77));
  list.push(await rawSample({ uid: 'd:twin1', label: 'a tree', image: twin }));
  list.push(await rawSample({ uid: 'd:twin2', label: 'the tree', image: twin }));
  const white = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  list.push(await rawSample({ uid: 'd:blank', label: 'a cat', image: await drawPng(white) }));
  list.push(await rawSample({ uid: 'd:broken', label: 'a dog', image: Buffer.from('GIF89a no') }));
  const style = { heldOutStyle: true };
  list.push(await rawSample({ uid: 'd:style', label: 'cat drawn', group: 'g1', meta: style }));
  return list;
}

let corpus: Sample[];
before(async () => {
  corpus = await makeCorpus();
  await writeRaw(join(root, 'raw'), corpus, 20);
});

test('every input has one ledger row with its verdict', async () => {
  const manifest = await run('raw', 'out', { balance: { target: 1 } });
  const rows = await ledger('out');
  assert.deepEqual([...rows.keys()].sort(), corpus.map((sample) => sample.uid).sort());
  const expected: Record<string, [string, string]> = {
    'd:100-t': ['drop', 'variant'],
    'd:icon3': ['drop', 'boilerplate'],
    'd:twin2': ['drop', 'exact-duplicate'],
    'd:blank': ['drop', 'blank'],
  };
  for (const [uid, verdict] of Object.entries(expected)) {
    assert.deepEqual([rows.get(uid)?.verdict, rows.get(uid)?.reason], verdict, uid);
  }
  assert.equal(rows.get('d:100-t')?.parent, 'd:100');
  assert.equal(rows.get('d:twin2')?.parent, 'd:twin1');
  for (const uid of ['d:twin1', 'd:twin2']) assert.equal(rows.get(uid)?.cluster, 'd:twin1');
  assert.equal(rows.get('d:101')?.cluster, undefined);
  assert.equal(rows.get('d:broken')?.verdict, 'error');
  assert.match(rows.get('d:broken')?.reason ?? '', /decode/);
  assert.equal(manifest.counts['input'], corpus.length);
  assert.equal(manifest.counts['samples'], 42);
  const numKept = [...rows.values()].filter((row) => row.verdict === 'keep').length;
  assert.equal(numKept, 42);
});

test('what is written lies by side, carries its concepts, and the held-out style lies apart', async () => {
  const all = await Array.fromAsync(readSamples(join(root, 'out')));
  assert.equal(all.length, 42);
  assert.deepEqual(all.find((sample) => sample.uid === 'd:101')?.meta['concepts'], ['dog']);
  const training = await Array.fromAsync(readSamples(join(root, 'out'), { split: 'train' }));
  assert.ok(training.every((s) => s.split === 'train' && s.meta['heldOutStyle'] !== true));
  const names = readdirSync(join(root, 'out')).filter((name) => name.endsWith('.tar'));
  assert.ok(names.includes('heldout-000000.tar') && names.includes('train-000000.tar'));
  for (const side of ['val', 'test']) {
    const expected = corpus.some((s) => s.split === side && s.meta['heldOutStyle'] !== true);
    assert.equal(names.includes(`${side}-000000.tar`), expected, side);
  }
});

test('junk concepts of boilerplate and tones are counted before and gone after', () => {
  const table = readConceptTable(join(root, 'out'));
  for (const junk of ['wed', 'aug', 'theme', 'flat', 'icon', 'skin', 'tone']) {
    const count = table.get(junk);
    assert.ok(count !== undefined && count.raw > 0, `${junk} is in the raw pool`);
    assert.deepEqual([count.clean, count.balanced], [0, 0], junk);
  }
  assert.ok((table.get('flag')?.clean ?? 0) > (table.get('cat')?.clean ?? 0));
});

test('balancing draws the wanted number from the training side and favours rare concepts', async () => {
  const manifest = await run('raw', 'half', { balance: { target: 0.5 } });
  const rows = [...(await ledger('half')).values()];
  const numDrawn = rows.filter((row) => row.reason === 'drawn').length;
  const numLeft = rows.filter((row) => row.reason === 'not-drawn').length;
  assert.ok(Math.abs(numDrawn - numLeft) <= 1);
  assert.equal(manifest.counts['train'], numDrawn);
  const full = await Array.fromAsync(readSamples(join(root, 'out'), { split: 'val' }));
  const half = await Array.fromAsync(readSamples(join(root, 'half'), { split: 'val' }));
  assert.deepEqual(half, full, 'the other sides are not sampled');
});

test('drawing with repetition writes copies under names of their own', async () => {
  const config = { balance: { target: 3, replacement: true } };
  const manifest = await run('raw', 'triple', config);
  const training = await Array.fromAsync(readSamples(join(root, 'triple'), { split: 'train' }));
  assert.equal(new Set(training.map((sample) => sample.uid)).size, training.length);
  assert.ok(training.some((sample) => sample.uid.endsWith('#2')));
  assert.equal(manifest.counts['train'], training.length);
  await ledger('triple');
});

function digest(output: string): Record<string, string> {
  const names = readdirSync(join(root, output), { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(root, output, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name, sha256Hex(readFileSync(join(root, output, name)))]),
  );
}

test('the same input and settings give the same bytes; a second run does nothing', async () => {
  await run('raw', 'again', { balance: { target: 1 } });
  assert.deepEqual(digest('again'), digest('out'));
  const path = join(root, 'again', 'train-000000.tar');
  const bytes = readFileSync(path);
  bytes[600] = (bytes[600] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await run('raw', 'again', { balance: { target: 1 } });
  assert.deepEqual(readFileSync(path), bytes, 'a finished stage is left as it is');
});

test('other shard sizes of the input change neither what is kept nor why', async () => {
  await writeRaw(join(root, 'raw7'), corpus, 7);
  await run('raw7', 'out7', { balance: { target: 0.5 } });
  const strip = async (output: string) =>
    [...(await ledger(output)).values()].map(({ configHash: _, ...row }) => row);
  assert.deepEqual(await strip('out7'), await strip('half'));
});

/** Curation as a process of its own, so that it can be killed. */
function spawnCuration(output: string, workers: number): ChildProcess {
  const script = `
    import { curate } from ${JSON.stringify(join(import.meta.dirname, 'curate.ts'))};
    console.log('ready');
    await curate({ input: process.argv[1], output: process.argv[2], lemmas: ${JSON.stringify(LEMMAS)},
      workers: ${workers}, config: { balance: { target: 1 } } });
  `;
  const args = [join(root, 'raw'), join(root, output)];
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module'];
  return spawn(process.execPath, [...flags, '-e', script, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const closed = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => child.once('close', resolve));

/** Kills at moments spread over a whole run; more of them by hand: ONEVISION_KILLS=20. */
const NUM_KILLS = Number(process.env['ONEVISION_KILLS'] ?? 3);

test('killed at any moment and run again, the folder is the same to the byte', async () => {
  const moment = async (child: ChildProcess): Promise<number> => {
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return performance.now();
  };
  const whole = spawnCuration('whole', 1);
  const wholeEnd = closed(whole);
  const begun = await moment(whole);
  await wholeEnd;
  const wholeMs = performance.now() - begun;
  assert.deepEqual(digest('whole'), digest('out'));
  for (let k = 0; k < NUM_KILLS; k++) {
    const output = `killed-${k}`;
    const child = spawnCuration(output, 1);
    const end = closed(child);
    await moment(child);
    const delayMs = ((k + coin('kill', k)) / NUM_KILLS) * wholeMs;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    await end;
    await run('raw', output, { balance: { target: 1 } });
    assert.deepEqual(digest(output), digest('out'), `killed after ${delayMs} of ${wholeMs} ms`);
  }
});

test('the number of processes does not show, nor that one of them was killed', async () => {
  for (const workers of [2, 7]) {
    await run('raw', `by-${workers}`, { balance: { target: 1 } }, workers);
    assert.deepEqual(digest(`by-${workers}`), digest('out'));
  }
  const child = spawnCuration('maimed', 2);
  const end = closed(child);
  assert.ok(await killFirstChild(child.pid ?? 0));
  await end;
  assert.deepEqual(digest('maimed'), digest('out'));
});

test('other thresholds need no second look at the images', async () => {
  await run('raw', 'twice', { balance: { target: 1 } });
  const survey = readdirSync(join(root, 'twice')).find((name) => name.startsWith('survey-'));
  const rows = join(root, 'twice', survey ?? '', 'raw-000000.tar.parquet');
  const before = statSync(rows).mtimeMs;
  const manifest = await run('raw', 'twice', { filters: { minChars: 15 }, balance: { target: 1 } });
  assert.equal(statSync(rows).mtimeMs, before);
  assert.ok((manifest.counts['samples'] ?? 0) < 42);
  const limits = [...(await ledger('twice')).values()].filter((row) => row.limit === '15–3500');
  assert.ok(limits.length > 0 && limits.every((row) => row.reason === 'text-length'));
});

test('a truncated shard costs its lost samples a row each', async () => {
  await writeRaw(join(root, 'cut'), corpus, 20);
  const path = join(root, 'cut', 'raw-000001.tar');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
  await run('cut', 'cut-out');
  const rows = [...(await ledger('cut-out')).values()];
  const lost = rows.filter((row) => row.verdict === 'error' && /is cut/.test(row.reason));
  assert.equal(lost.length, 1);
  assert.match(lost[0]?.uid ?? '', /raw-000001\.tar/);
});

test('an empty corpus, too many broken samples and an empty result are named errors', async () => {
  const expectData = (pattern: RegExp) => (error: unknown) => {
    assert.ok(error instanceof OneVisionError);
    assert.equal(error.code, 'data');
    assert.match(error.message, pattern);
    assert.ok((error.hint ?? '').length > 10, 'it says what to do');
    return true;
  };
  mkdirSync(join(root, 'empty'));
  await assert.rejects(run('empty', 'e1'), expectData(/Expected shards .* there are none/));
  const image = Buffer.from('broken');
  const broken = Array.from({ length: 12 }, (_, i) => ({ uid: `b:${i}`, label: 'a cat', image }));
  await writeRaw(join(root, 'bad'), await Promise.all(broken.map(rawSample)));
  await assert.rejects(run('bad', 'e2'), expectData(/at most 10 bad samples of 12, got 12/));
  await assert.rejects(
    run('raw', 'e3', { filters: { minSide: 500 } }),
    expectData(/got none of 61/),
  );
});

test('evaluation sets, an embedder and near texts take out what they should', async () => {
  const folder = join(root, 'guarded');
  const words = 'one two three four five six seven eight nine ten eleven twelve thirteen';
  const picture = await drawPng(drawSvg(4242));
  const bright = await drawPng(drawSvg(9));
  const list = [
    await rawSample({ uid: 'g:asked', label: 'a cat', image: picture }),
    await rawSample({ uid: 'g:copied', label: `now ${words} it ends` }),
    await rawSample({ uid: 'g:plain', label: 'a dog in the sun with a red ball', group: 'p1' }),
    await rawSample({ uid: 'g:same', label: 'A dog in the sun, with a red ball', group: 'p2' }),
    await rawSample({
      uid: 'g:far',
      label: 'a star over the sea at night',
      group: 'p3',
      image: bright,
    }),
  ];
  await writeRaw(join(folder, 'raw'), list);
  const asked = await rawSample({ uid: 'e:1', label: 'what?', image: picture });
  const told = await rawSample({ uid: 'e:2', label: words });
  await writeRaw(join(folder, 'eval'), [asked, told]);
  // An embedder by file size: a real model is wired the same way.
  const module = join(folder, 'embedder.mjs');
  const code = `const one = (n) => Float32Array.of(Math.cos(n), Math.sin(n));
    export const embedder = { open: () => ({ name: 'size', dim: 2, close: () => undefined,
      embedImages: async ([bytes]) => one(bytes.length === ${bright.length} ? 2 : 0),
      embedTexts: async ([text]) => one(/star/.test(text) ? 0 : 0.1) }) };`;
  writeFileSync(module, code);
  const guard = { evaluation: [join(folder, 'eval')] };
  const reasons = async (output: string, config: CurateInput): Promise<Record<string, string>> => {
    await run('guarded/raw', output, config);
    const rows = await ledger(output);
    return Object.fromEntries([...rows].map(([uid, row]) => [uid.slice(2), row.reason]));
  };
  const near = await reasons('guard-1', { filters: guard, dedup: { minTextOverlap: 0.9 } });
  assert.equal(near['asked'], 'contaminated-image');
  assert.equal(near['copied'], 'contaminated-text');
  assert.equal(near['same'], 'near-text');
  const meant = await reasons('guard-2', {
    embedder: module,
    filters: { minAgreement: 0.5 },
    dedup: { minCosine: 0.9 },
  });
  assert.equal(meant['far'], 'agreement');
  assert.equal(Object.values(meant).filter((reason) => reason === 'near-meaning').length, 3);
});

test('scorers of others refuse under the name that they are given', async () => {
  const folder = join(root, 'hooked');
  const samples = await Promise.all(
    Array.from({ length: 8 }, (_, i) => rawSample({ uid: `h:${i}`, label: `a cat in box ${i}` })),
  );
  await writeRaw(join(folder, 'raw'), samples);
  const module = join(folder, 'scorer.mjs');
  // Any number that the pixels give: a real model is wired the same way.
  const score = 'return (data.reduce((sum, value) => sum + value, 0) % 97) / 97';
  writeFileSync(module, `export const scorer = { open: () => ({ data }) => { ${score} } };`);
  const hooks = [
    { name: 'nsfw', module, max: 0.6 },
    { name: 'faces', module, min: 0.3 },
  ];
  await run('hooked/raw', 'hooked/out', { filters: { hooks }, balance: { target: 1 } });
  const rows = await ledger('hooked/out');
  const measure = await openHook({ name: 'nsfw', module });
  const found = new Set<string>();
  for (const { uid, images } of samples) {
    const own = await measure(
      await decodeImage(images[0]?.bytes ?? Buffer.of(), { maxPixels: 1e6 }),
    );
    const expected = own > 0.6 ? 'nsfw' : own < 0.3 ? 'faces' : undefined;
    const row = rows.get(uid);
    assert.equal(row?.verdict, expected === undefined ? 'keep' : 'drop', uid);
    if (expected === undefined) continue;
    assert.deepEqual([row?.reason, row?.score], [expected, own], uid);
    found.add(expected);
  }
  assert.deepEqual([...found].sort(), ['faces', 'nsfw']);
});
