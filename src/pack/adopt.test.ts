// Released pack sets train as they are: layouts found by themselves, nothing copied, damage named.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { TINY_PROCESSOR, tinySamples, writeTinyTokenizer } from '../../test/support/tiny-data.ts';
import { OneVisionError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { readLedger } from '../sample/ledger.ts';
import type { Manifest } from '../sample/manifest.ts';
import { encodeTarMember, TAR_END } from '../sample/tar.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { adoptPacks } from './adopt.ts';
import { measureSample } from './lengths.ts';
import { openPacks } from './read.ts';
import { surveyPacks } from './report/collect.ts';
import { previewPack } from './report/preview.ts';

let dir = '';
let tokenizer = '';
let image: Buffer;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'adopt-'));
  tokenizer = await writeTinyTokenizer(dir, await tinySamples(50));
  const background = '#20c040';
  image = await sharp({ create: { width: 56, height: 56, channels: 3, background } })
    .jpeg()
    .toBuffer();
});
after(() => rmSync(dir, { recursive: true }));

/** An archive as the original's packer writes it: images, then the JSON. */
function writeArchive(
  folder: string,
  records: readonly (readonly [string, object, Buffer[]])[],
): string {
  const members = records.flatMap(([key, json, images]) => [
    ...images.map((bytes, i) => encodeTarMember(`${key}.img${i}.jpg`, bytes)),
    encodeTarMember(`${key}.json`, Buffer.from(JSON.stringify(json))),
  ]);
  mkdirSync(join(dir, folder), { recursive: true });
  const path = join(dir, folder, 'pretrain-000000.tar');
  writeFileSync(path, Buffer.concat([...members, TAR_END]));
  return path;
}

function packOf(captions: readonly string[]): object {
  const images = captions.map((_, i) => `img${i}.jpg`);
  return { prompts: captions.map(() => '<image>\nWhat is this?'), captions, images };
}

function adopt(folder: string, more: object = {}): Promise<Manifest> {
  const [input, output] = [join(dir, folder), join(dir, `${folder}-packs`)];
  return adoptPacks({
    input,
    output,
    tokenizer,
    processor: TINY_PROCESSOR,
    workers: 1,
    log: silentLog,
    ...more,
  });
}

test('a packed set is read in place, every sample with its own length', async () => {
  const captions = ['It is green.', 'It is red and blue.', 'Yes, yes.'];
  writeArchive('good', [
    ['ps_00000000', packOf(captions.slice(0, 2)), [image, image]],
    ['ps_00000001', packOf(captions.slice(2)), [image]],
  ]);
  const manifest = await adopt('good');
  assert.equal(manifest.counts['packs'], 2);
  assert.equal(manifest.counts['samples'], 3);
  using packs = openPacks(join(dir, 'good-packs'));
  const samples = [...packs.read(0).samples, ...packs.read(1).samples];
  assert.deepEqual(
    samples.map(({ messages }) => messages[1]?.content),
    captions,
  );
  const open = loadTokenizer(tokenizer);
  for (const { tokens, patches, ...sample } of samples) {
    const context = { tokenizer: open, processor: TINY_PROCESSOR };
    assert.deepEqual(await measureSample(sample, context), { tokens, patches });
    assert.deepEqual(sample.images[0]?.bytes, image);
  }
  const survey = await surveyPacks(join(dir, 'good-packs'), 2);
  assert.deepEqual(survey.segments.counts, [1, 1]);
  const [first] = await previewPack(packs.read(0), open, TINY_PROCESSOR);
  const trained = first?.runs.filter((run) => run.isTrained).map((run) => run.text);
  assert.deepEqual(trained, ['It is green.<|im_end|>']);
  assert.match(
    first?.runs.map((run) => run.text).join('') ?? '',
    /<\|vision_start\|>⟨image: 4 tokens⟩/,
  );
});

test('what cannot be trained on is left out, listed and counted', async () => {
  const path = writeArchive('bad', [
    ['ps_00000000', packOf(['fine', 'its image has no header']), [image, Buffer.from('nothing')]],
    ['ps_00000001', { ...packOf(['a', 'b']), captions: ['a'] }, [image, image]],
    ['ps_00000002', packOf(['an image is missing', 'b']), [image]],
    [
      'ps_00000003',
      packOf(new Array(40).fill('long') as string[]),
      new Array(40).fill(image) as Buffer[],
    ],
    ['ps_00000004', packOf(['cut']), [image]],
  ]);
  // The last record loses its JSON and the end of its image.
  truncateSync(path, statSync(path).size - TAR_END.length - 1024 - 512);
  const manifest = await adopt('bad', { maxTokens: 200 });
  assert.equal(manifest.counts['packs'], 1);
  assert.equal(manifest.counts['samples'], 1);
  const rows = await Array.fromAsync(readLedger(join(dir, 'bad-packs', 'ledger.jsonl')));
  const reasons = new Map(rows.map(({ uid, reason }) => [uid.replace(/^.*:/, ''), reason]));
  assert.match(reasons.get('ps_00000000/1') ?? '', /do not decode/);
  assert.match(reasons.get('ps_00000001') ?? '', /2, 2, 1 images, prompts and captions/);
  assert.match(reasons.get('ps_00000002') ?? '', /without img1\.jpg/);
  assert.match(reasons.get('ps_00000003') ?? '', /tokens and .* patches in one pack/);
  assert.match(reasons.get('rest') ?? '', /ends without an end marker/);
  using packs = openPacks(join(dir, 'bad-packs'));
  assert.deepEqual(
    packs.read(0).samples.map(({ messages }) => messages[1]?.content),
    ['fine'],
  );
});

test('a folder without packs is named', async () => {
  const named = (pattern: RegExp) => (error: unknown) =>
    error instanceof OneVisionError && error.code === 'data' && pattern.test(error.message);
  await assert.rejects(adopt('nowhere'), named(/archives \(\*\.tar\)/));
  writeArchive('other', [['a', { caption: 'no pack' }, [image]]]);
  await assert.rejects(adopt('other'), named(/packed records/));
});
