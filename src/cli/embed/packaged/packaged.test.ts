// The packaged encoders against golden vectors of the original runtime (test/fixtures/embed), and the
// bridge between them against the normal equations.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import * as z from 'zod';
import { fetchedPackages } from '../../../../test/support/packages.ts';
import { createRandom } from '../../../core/hash.ts';
import { silentLog } from '../../../core/log.ts';
import { openMeanings } from '../../../curate/dedup/meanings.ts';
import { EMOJI_STYLES } from '../../../sample/corpus/emoji.ts';
import { hasPackage } from '../../../sample/corpus/packages.ts';
import { crossBridge, fitBridge, loadBridge, saveBridge } from './bridge.ts';
import { openPackagedEmbedder, PICTURES, plainEmoji, SENTENCES } from './packaged.ts';
import { BLOCK_DIMS, openPictureEncoder, PICTURE_SIDE } from './picture-encoder.ts';
import { createPieces } from './pieces.ts';
import { openSentenceEncoder } from './sentence-encoder.ts';

const goldenSchema = z.object({
  texts: z.array(
    z.object({ text: z.string(), ids: z.array(z.number()), vector: z.array(z.number()) }),
  ),
  blocks: z.array(z.object({ dim: z.number(), norm: z.number(), first: z.array(z.number()) })),
});
const file = new URL('../../../../test/fixtures/embed/packaged.json', import.meta.url);
const golden = goldenSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
const packages = await fetchedPackages('encoders');
const skip = 'reason' in packages ? packages.reason : false;

test('texts lie where the original places them, alone and in a batch', { skip }, () => {
  if ('reason' in packages) return;
  const encoder = openSentenceEncoder(packages.folder(SENTENCES));
  const together = encoder.embed(golden.texts.map(({ text }) => text));
  for (const [row, { text, ids, vector }] of golden.texts.entries()) {
    assert.deepEqual(encoder.pieces(text), ids, text);
    const alone = encoder.embed([text]);
    for (const [i, expected] of vector.entries()) {
      assert.ok(Math.abs((alone[i] ?? 0) - expected) < 2e-5, `${text}: ${alone[i]}, ${expected}`);
      const batched = together[row * encoder.dim + i] ?? 0;
      assert.ok(Math.abs(batched - expected) < 2e-5, `batch, ${text}: ${batched}, ${expected}`);
    }
  }
  encoder.close();
});

test('the six layers of a picture are those of the original', { skip }, () => {
  if ('reason' in packages) return;
  const encoder = openPictureEncoder(packages.folder(PICTURES));
  const plane = PICTURE_SIDE * PICTURE_SIDE;
  const pixels = Float32Array.from({ length: 3 * plane }, (_, i) => {
    const [c, y, x] = [
      Math.floor(i / plane),
      Math.floor((i % plane) / PICTURE_SIDE),
      i % PICTURE_SIDE,
    ];
    return ((x * (c + 1) + y * (3 - c) + ((x * y) >> 5)) % 256) / 255;
  });
  const found = encoder.features(pixels, 1);
  assert.equal(found.length, encoder.dim);
  let start = 0;
  for (const [block, { dim, norm, first }] of golden.blocks.entries()) {
    assert.equal(BLOCK_DIMS[block], dim);
    const own = found.subarray(start, start + dim);
    assert.ok(Math.abs(Math.hypot(...own) / norm - 1) < 1e-3, `block ${block}`);
    for (const [i, expected] of first.entries()) {
      assert.ok(Math.abs((own[i] ?? 0) - expected) < 1e-3 * norm, `block ${block}, ${i}`);
    }
    start += dim;
  }
  encoder.close();
});

test('pieces: the likeliest cut, unknown characters in one', () => {
  const reserved = Array.from({ length: 6 }, (_, i) => [`<${i}>`, 0] as const);
  const pieces = createPieces([
    ...reserved,
    ['▁', -2],
    ['a', -2],
    ['▁a', -3],
    ['ab', -2.5],
    ['b', -2],
  ]);
  assert.deepEqual(pieces('ab'), [6, 9]);
  assert.deepEqual(pieces('a ☂☂ b'), [8, 6, 0, 6, 10]);
  assert.deepEqual(pieces(''), []);
});

test('the bridge solves the normal equations of ridge regression, and is kept', async () => {
  const random = createRandom('bridge');
  const [numPairs, dims, dim, lambda] = [12, [3, 2], 4, 0.3];
  const draw = (size: number): Float32Array =>
    Float32Array.from({ length: size }, () => random.next() - 0.5);
  const [features, sentences] = [draw(numPairs * 5), draw(numPairs * dim)];
  const bridge = fitBridge(features, sentences, dims, dim, lambda);
  const dir = mkdtempSync(join(tmpdir(), 'bridge-'));
  await saveBridge(join(dir, 'bridge.safetensors'), bridge);
  assert.deepEqual(loadBridge(join(dir, 'bridge.safetensors')), bridge);
  rmSync(dir, { recursive: true });
  const x = rowsOf(features, 5).map((row) => [
    ...unit(row.slice(0, 3).map((value, i) => value - (bridge.featureMeans[i] ?? 0))),
    ...unit(row.slice(3).map((value, i) => value - (bridge.featureMeans[3 + i] ?? 0))),
    1,
  ]);
  const y = rowsOf(sentences, dim).map((row) =>
    unit(row.map((value, i) => value - (bridge.sentenceMeans[i] ?? 0))),
  );
  const w = rowsOf(bridge.weight, dim);
  // (XᵀX + λI) W = XᵀY
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < dim; j++) {
      let left = lambda * (w[i]?.[j] ?? 0);
      let right = 0;
      for (const [n, row] of x.entries()) {
        for (let k = 0; k < 6; k++) left += (row[i] ?? 0) * (row[k] ?? 0) * (w[k]?.[j] ?? 0);
        right += (row[i] ?? 0) * (y[n]?.[j] ?? 0);
      }
      assert.ok(Math.abs(left - right) < 1e-4, `${i}, ${j}: ${left}, ${right}`);
    }
  }
  const crossed = rowsOf(crossBridge(bridge, features, dims), dim);
  for (const [n, row] of crossed.entries()) {
    const expected = unit(
      Array.from({ length: dim }, (_, j) =>
        (x[n] ?? []).reduce((sum, value, k) => sum + value * (w[k]?.[j] ?? 0), 0),
      ),
    );
    for (const [j, value] of row.entries()) assert.ok(Math.abs(value - (expected[j] ?? 0)) < 1e-4);
  }
});

const noEmoji = EMOJI_STYLES.some((style) => !hasPackage(style.package));

test('fitted on 80 emoji it tells the names of others, and finds copies of pictures', {
  skip: skip || (noEmoji ? 'the emoji packages are not here: npm run setup' : false),
}, async () => {
  const some = plainEmoji('fluent3d').filter((_, i) => i % 16 === 0);
  const pairs = some.filter((_, i) => i % 4 > 0);
  const known = new Set(pairs.map(({ group }) => group));
  const others = some.filter(({ group }) => !known.has(group)).slice(0, 24);
  const embedder = await openPackagedEmbedder({ pairs, log: silentLog });
  const files = await Promise.all(others.map((picture) => picture.load()));
  const images = rowsOf(await embedder.embedImages(files), embedder.dim);
  const texts = rowsOf(await embedder.embedTexts(others.map(({ label }) => label)), embedder.dim);
  const ranks = images.map((image, i) => {
    const own = dot(image, texts[i]);
    return texts.filter((text) => dot(image, text) > own).length;
  });
  const meanRank = ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  // Of n by chance: (n − 1) / 2, and the mean of n of them has a deviation of √(n / 12).
  const limit = (others.length - 1) / 2 - 3 * Math.sqrt(others.length / 12);
  assert.ok(meanRank < limit, `${meanRank}, not below ${limit}`);
  const copies = await Promise.all(
    files
      .slice(0, 8)
      .map((file) => sharp(file).flatten({ background: '#fff' }).resize(200).jpeg().toBuffer()),
  );
  const again = rowsOf(await embedder.embedImages(copies), embedder.dim);
  const near = openMeanings(images.length + again.length, 0.5);
  for (const [place, row] of [...images, ...again].entries()) {
    near.load(place, { embedding: new Uint8Array(Float32Array.from(row).buffer) });
  }
  for (const place of images.keys()) near.add(place);
  const twins = copies.map((_, i) => near.nearest(images.length + i)?.row);
  assert.deepEqual(twins, [...copies.keys()]);
  await embedder.close();
});

function dot(a: readonly number[], b: readonly number[] = []): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function rowsOf(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) =>
    Array.from(values.subarray(i * width, (i + 1) * width)),
  );
}

function unit(values: readonly number[]): number[] {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}
