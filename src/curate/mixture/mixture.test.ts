// A mixture: whole numbers that add up, caps that hold, conversations that stay whole, a card that
// says what is there.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeRaw } from '../../../test/support/raw-samples.ts';
import { OneVisionError } from '../../core/errors.ts';
import { createRandom } from '../../core/hash.ts';
import { silentLog } from '../../core/log.ts';
import { readLedger } from '../../sample/ledger.ts';
import type { Message, Sample } from '../../sample/sample.ts';
import { readSamples } from '../../sample/webdataset.ts';
import { allot, apportion, apportionLimited } from './allot.ts';
import { defineMixture, type MixtureInput } from './config.ts';
import type { DataCard } from './data-card.ts';
import { mix } from './mix.ts';

const root = mkdtempSync(join(tmpdir(), 'mixture-'));
after(() => rmSync(root, { recursive: true }));

test('shares are whole, add up exactly and are off by less than one', () => {
  const random = createRandom('apportion');
  for (let i = 0; i < 200; i++) {
    const weights = Array.from({ length: 1 + random.int(9) }, () => random.next());
    const total = random.int(10_000);
    const shares = apportion(total, weights);
    const sum = weights.reduce((a, b) => a + b, 0);
    assert.equal(
      shares.reduce((a, b) => a + b, 0),
      total,
    );
    for (const [k, share] of shares.entries()) {
      assert.ok(Math.abs(share - (total * (weights[k] ?? 0)) / sum) < 1);
    }
  }
});

test('limits hold and what they keep back goes to the others', () => {
  assert.deepEqual(apportionLimited(100, [1, 1, 2], [10, 100, 100]), [10, 30, 60]);
  assert.deepEqual(apportionLimited(30, [1, 1, 1], [10, 10, 10]), [10, 10, 10]);
  const random = createRandom('limits');
  for (let i = 0; i < 200; i++) {
    const limits = Array.from({ length: 5 }, () => random.int(50));
    const total = random.int(limits.reduce((a, b) => a + b, 0) + 1);
    const shares = apportionLimited(
      total,
      limits.map(() => random.next() + 0.01),
      limits,
    );
    assert.equal(
      shares.reduce((a, b) => a + b, 0),
      total,
    );
    assert.ok(shares.every((share, k) => share <= (limits[k] ?? 0)));
  }
});

const CATEGORIES: MixtureInput['categories'] = [
  {
    name: 'talk',
    weight: 3,
    sources: [{ name: 'chat' }, { name: 'facts', cap: 5, licence: 'MIT' }],
  },
  { name: 'pictures', weight: 1, sources: [{ name: 'vqa/*' }] },
];

test('without a total the mixture is as large as weights and caps allow', () => {
  const available = new Map([
    ['chat', 40],
    ['facts', 40],
    ['vqa/*', 100],
  ]);
  const taken = allot({ categories: CATEGORIES }, available).map((one) => one.taken);
  assert.deepEqual(taken, [40, 5, 15]);
});

test('a category that is too small is a named error that says what is possible', () => {
  const available = new Map([
    ['chat', 10],
    ['vqa/*', 100],
  ]);
  assert.throws(
    () => allot({ categories: CATEGORIES, total: 40 }, available),
    (error: unknown) => {
      assert.ok(error instanceof OneVisionError);
      assert.match(error.message, /expected 30 samples of category talk, came 10 of chat, facts/);
      assert.match(error.hint ?? '', /at most 13 in all/);
      return true;
    },
  );
});

function sample(uid: string, source: string, numImages: number, numTurns: number): Sample {
  const messages: Message[] = [];
  for (let turn = 0; turn < numTurns; turn++) {
    const marks = turn === 0 ? '<image>'.repeat(numImages) : '';
    messages.push({ role: 'user', content: `${marks}Question ${turn} of ${uid}?` });
    messages.push({ role: 'assistant', content: `Answer ${turn}.` });
  }
  const images = Array.from({ length: numImages }, (_, i) => ({
    name: `img${i}.png`,
    bytes: Buffer.from(`${uid} ${i}`),
  }));
  return { uid, source, group: uid, split: 'train', messages, images, meta: {} };
}

function makeSamples(): Sample[] {
  const list: Sample[] = [];
  for (let i = 0; i < 30; i++) list.push(sample(`c${i}`, 'chat', 0, 1 + (i % 3)));
  for (let i = 0; i < 20; i++) list.push(sample(`f${i}`, 'facts', 0, 1));
  for (let i = 0; i < 20; i++) list.push(sample(`v${i}`, `vqa/${i % 2}`, 1 + (i % 2), 2));
  list.push(sample('other', 'elsewhere', 1, 1));
  const whole = sample('broken', 'vqa/0', 2, 1);
  list.push({ ...whole, images: whole.images.slice(1) });
  return list;
}

test('mixing takes whole conversations, one ledger row each, and writes the card', async () => {
  const samples = makeSamples();
  await writeRaw(join(root, 'a'), samples.slice(0, 40), 9);
  await writeRaw(join(root, 'b'), samples.slice(40), 9);
  const inputs = [join(root, 'a'), join(root, 'b')];
  const config: MixtureInput = { name: 'test', categories: CATEGORIES, total: 40, seed: 3 };
  const manifest = await mix({ inputs, output: join(root, 'out'), config, log: silentLog });
  assert.equal(manifest.counts['samples'], 40);
  const written = await Array.fromAsync(readSamples(join(root, 'out')));
  const originals = new Map(samples.map((one) => [one.uid, one]));
  for (const one of written) assert.deepEqual(one, originals.get(one.uid), 'whole');
  const count = (source: RegExp): number => written.filter((one) => source.test(one.source)).length;
  assert.deepEqual([count(/^chat/), count(/^facts/), count(/^vqa/)], [26, 4, 10]);

  const rows = await Array.fromAsync(readLedger(join(root, 'out', 'ledger.jsonl')));
  assert.deepEqual(rows.map((row) => row.uid).sort(), samples.map((one) => one.uid).sort());
  const reasons = new Map(rows.map((row) => [row.uid, row.reason]));
  assert.equal(reasons.get('other'), 'no-category');
  assert.match(reasons.get('broken') ?? '', /2 <image> marks for 1 images/);

  const card = JSON.parse(readFileSync(join(root, 'out', 'datacard.json'), 'utf8')) as DataCard;
  const numImages = written.reduce((sum, one) => sum + one.images.length, 0);
  assert.equal(card.total.samples, 40);
  assert.equal(card.total.images, numImages);
  assert.deepEqual(card.leftOut, { noCategory: 1, errors: 1 });
  const markdown = readFileSync(join(root, 'out', 'DATACARD.md'), 'utf8');
  assert.match(markdown, /\| talk \| 75.0 % \| 75.0 % \| 30 \|/);
  assert.match(markdown, /\| facts \| talk \| 20 \| 5 \| 4 \| 0 \| 0 \| 0 \| MIT \|/);
});

test('other shards and another order of the inputs take the same samples', async () => {
  const config: MixtureInput = { name: 'test', categories: CATEGORIES, total: 40, seed: 3 };
  const uids = async (output: string): Promise<string[]> =>
    (await Array.fromAsync(readSamples(join(root, output)))).map((one) => one.uid).sort();
  const inputs = [join(root, 'b'), join(root, 'a')];
  await mix({ inputs, output: join(root, 'turned'), config, log: silentLog });
  assert.deepEqual(await uids('turned'), await uids('out'));
  await mix({ inputs, output: join(root, 'seed'), config: { ...config, seed: 4 }, log: silentLog });
  assert.notDeepEqual(await uids('seed'), await uids('out'));
});

test('a source in two categories and a mistyped key are refused by name', () => {
  const twice = [...CATEGORIES, { name: 'more', weight: 1, sources: [{ name: 'chat' }] }];
  assert.throws(
    () => defineMixture({ name: 'x', categories: twice }),
    /each source in one category/,
  );
  const typo = { name: 'x', categories: CATEGORIES, totl: 3 } as unknown as MixtureInput;
  assert.throws(() => defineMixture(typo), /totl/);
});
