// Curation end to end on a small drawn corpus: the funnel, the ledger, junk concepts, kill and resume.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { drawPng, drawSvg, rawSample, writeRaw } from '../../test/support/raw-samples.ts';
import { OneVisionError } from '../core/errors.ts';
import { sha256Hex } from '../core/hash.ts';
import { silentLog } from '../core/log.ts';
import { readConceptTable } from '../sample/concept-table.ts';
import { type LedgerRow, readLedger } from '../sample/ledger.ts';
import type { Manifest } from '../sample/manifest.ts';
import type { Sample } from '../sample/sample.ts';
import { readSamples } from '../sample/webdataset.ts';
import { conceptList } from './concepts/concept-list.ts';
import type { CurateInput } from './config.ts';
import { curate } from './curate.ts';

const root = mkdtempSync(join(tmpdir(), 'curate-'));
after(() => rmSync(root, { recursive: true }));

const WORDS = 'cat dog flag star tree fish theme wed aug skin tone flat icon'.split(' ');
const concepts = conceptList(
  WORDS.map((name) => ({ name })),
  { version: 'test' },
);

function run(input: string, output: string, config: CurateInput = {}): Promise<Manifest> {
  const folders = { input: join(root, input), output: join(root, output) };
  return curate({ ...folders, config, concepts, log: silentLog });
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
  return Object.fromEntries(
    names.map((name) => [name, sha256Hex(readFileSync(join(root, output, name)))]),
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

test('killed at any moment and run again, the folder is the same to the byte', async () => {
  const script = `
    import { curate } from ${JSON.stringify(join(import.meta.dirname, 'curate.ts'))};
    import { conceptList } from ${JSON.stringify(join(import.meta.dirname, 'concepts', 'concept-list.ts'))};
    const names = ${JSON.stringify(WORDS)};
    const concepts = conceptList(names.map((name) => ({ name })), { version: 'test' });
    console.log('ready');
    await curate({ input: process.argv[1], output: process.argv[2], concepts,
      config: { balance: { target: 1 } } });
  `;
  for (const delayMs of [30, 90, 180]) {
    const args = [join(root, 'raw'), join(root, 'killed')];
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }
  await run('raw', 'killed', { balance: { target: 1 } });
  assert.deepEqual(digest('killed'), digest('out'));
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
