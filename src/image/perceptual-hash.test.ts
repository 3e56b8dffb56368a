// Fingerprints: near-duplicates are close, others and false friends are far.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from './decode.ts';
import {
  colourRange,
  hammingDistance,
  meanDistance,
  perceptualHash,
  perceptualHashFromHex,
  perceptualHashToHex,
} from './perceptual-hash.ts';
import type { RgbImage } from './pixels.ts';

function draw(body: string, size = 96): Promise<RgbImage> {
  const box = 'viewBox="0 0 96 96" xmlns="http://www.w3.org/2000/svg"';
  return decodeImage(Buffer.from(`<svg ${box} width="${size}" height="${size}">${body}</svg>`));
}

const FACE =
  '<circle cx="48" cy="50" r="40" fill="#fc3"/><circle cx="30" cy="40" r="6"/>' +
  '<circle cx="66" cy="42" r="9"/><path d="M30 70h30v6H30z"/>';
const TREE = '<path d="M48 5 90 70H6z" fill="#282"/><path d="M40 70h16v22H40z" fill="#742"/>';

test('scaled and recompressed pictures stay close, others are far', async () => {
  const face = await perceptualHash(await draw(FACE));
  const large = await perceptualHash(await draw(FACE, 300));
  const { data, ...raw } = await draw(FACE);
  const jpeg = await sharp(data, { raw: { ...raw, channels: 3 } })
    .jpeg({ quality: 60 })
    .toBuffer();
  const squeezed = await perceptualHash(await decodeImage(jpeg));
  const tree = await perceptualHash(await draw(TREE));
  assert.ok(hammingDistance(face, large) <= 10, `${hammingDistance(face, large)}`);
  assert.ok(meanDistance(face, large) <= 3);
  assert.ok(meanDistance(face, squeezed) <= 3);
  assert.ok(hammingDistance(face, tree) > 40);
  assert.equal(hammingDistance(face, face), 0);
});

test('bits and means are what they say', async () => {
  const ramp = new Uint8Array(17 * 16 * 3);
  for (let i = 0; i < 17 * 16; i++) ramp.fill(10 * (i % 17), 3 * i, 3 * i + 3);
  const rising = await perceptualHash({ width: 17, height: 16, data: ramp });
  assert.deepEqual(Array.from(rising.bits), Array(8).fill(0xffffffff));
  const flat = await perceptualHash({ width: 17, height: 16, data: ramp.map(() => 77) });
  assert.deepEqual(Array.from(flat.bits), Array(8).fill(0));
  assert.ok(flat.means.every((v) => v === 77));
  assert.equal(hammingDistance(rising, flat), 256);
});

test('stripes of other colours share dHash but not the means', async () => {
  const stripes = (a: string, b: string): Promise<RgbImage> =>
    draw(`<path d="M0 0h96v48H0z" fill="${a}"/><path d="M0 48h96v48H0z" fill="${b}"/>`);
  const haiti = await perceptualHash(await stripes('#00209f', '#d21034'));
  const other = await perceptualHash(await stripes('#ffd700', '#1eb53a'));
  assert.equal(hammingDistance(haiti, other), 0);
  assert.ok(meanDistance(haiti, other) > 24);
});

test('blank pictures have no colour range; tiny ones have a hash', async () => {
  assert.equal(colourRange(await draw('')), 0);
  assert.ok(colourRange(await draw(TREE)) > 100);
  const dot = { width: 1, height: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) };
  assert.deepEqual(Array.from((await perceptualHash(dot)).means.subarray(0, 3)), [1, 2, 3]);
});

test('hex and back', async () => {
  const hash = await perceptualHash(await draw(FACE));
  const hex = perceptualHashToHex(hash);
  assert.equal(hex.length, 64 + 384);
  assert.deepEqual(perceptualHashFromHex(hex), hash);
});
