// Plain PNG against libvips: the same pixels out of both decoders, for both encoders' files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { createRandom } from '../core/hash.ts';
import type { RgbImage } from './pixels.ts';
import { decodePlainPng, encodePng } from './png.ts';

const MANY = 1_000_000;

/** Noise on a gradient, so that libvips chooses every filter. */
function picture(width: number, height: number): RgbImage {
  const random = createRandom('png', width, height);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const y = Math.floor(i / (3 * width));
    data[i] = y % 3 === 0 ? random.int(256) : i + y + (y % 3 === 1 ? random.int(4) : 0);
  }
  return { width, height, data };
}

function opened({ width, height, data }: RgbImage): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** The first byte of every row of a file. */
function filtersOf({ width, height }: RgbImage, file: Buffer): number[] {
  const pixels: Buffer[] = [];
  for (let at = file.indexOf('IDAT'); at >= 0; at = file.indexOf('IDAT', at + 4)) {
    pixels.push(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)));
  }
  const rows = inflateSync(Buffer.concat(pixels));
  return Array.from({ length: height }, (_, y) => rows[y * (1 + 3 * width)] ?? -1);
}

const SIZES = [
  [1, 1],
  [84, 84],
  [5, 31],
  [257, 3],
] as const;

test('libvips reads what is written', async () => {
  for (const [width, height] of SIZES) {
    const image = picture(width, height);
    const { data, info } = await sharp(encodePng(image))
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [width, height, 3]);
    assert.deepEqual(new Uint8Array(data), image.data);
    assert.deepEqual(decodePlainPng(encodePng(image, 6), MANY), image);
    const withAlpha = new Uint8Array(await opened(image).ensureAlpha(0.5).raw().toBuffer());
    const file = encodePng({ width, height, data: withAlpha });
    assert.deepEqual(new Uint8Array(await sharp(file).raw().toBuffer()), withAlpha);
  }
});

test('files of libvips with all filters decode to the same pixels', async () => {
  const filters = new Set<number>();
  for (const [width, height] of SIZES) {
    const image = picture(width, height);
    const file = await opened(image).png({ adaptiveFiltering: true }).toBuffer();
    assert.deepEqual(decodePlainPng(file, MANY), image);
    for (const filter of filtersOf(image, file)) filters.add(filter);
  }
  assert.deepEqual([...filters].sort(), [0, 1, 2, 3, 4]);
});

test('every value under every transparency lies on white as libvips lays it', async () => {
  const side = 256;
  const data = new Uint8Array(side * side * 4);
  for (let i = 0; i < side * side; i++) data.set([i, 255 - i, 7 * i, i / side], 4 * i);
  for (const adaptiveFiltering of [false, true]) {
    const raw = { width: side, height: side, channels: 4 } as const;
    const file = await sharp(data, { raw }).png({ adaptiveFiltering }).toBuffer();
    const flat = await sharp(file).flatten({ background: '#fff' }).raw().toBuffer();
    const image = { width: side, height: side, data: new Uint8Array(flat) };
    assert.deepEqual(decodePlainPng(file, MANY), image);
  }
});

test('what is not plain, too large or damaged is left to libvips, which names it', async () => {
  const image = picture(20, 10);
  const kinds = [
    opened(image).png({ palette: true }),
    opened(image).toColourspace('b-w').png(),
    opened(image).png({ progressive: true }),
    opened(image).toColourspace('rgb16').png(),
    opened(image).withMetadata({ orientation: 6 }).png(),
    opened(image).jpeg(),
  ];
  for (const kind of kinds) assert.equal(decodePlainPng(await kind.toBuffer(), MANY), undefined);
  const file = encodePng(image);
  assert.equal(decodePlainPng(file, 199), undefined);
  for (let length = 0; length < file.length; length += 1) {
    assert.equal(decodePlainPng(file.subarray(0, length), MANY), undefined);
  }
  const random = createRandom('damage');
  for (let i = 0; i < 200; i++) {
    const bad = new Uint8Array(file);
    const at = random.int(bad.length);
    bad[at] = (bad[at] ?? 0) ^ (1 + random.int(255));
    assert.equal(decodePlainPng(bad, MANY), undefined);
  }
  // A header that says less than the pixels inflate to.
  const bomb = Buffer.from(encodePng(picture(20, 10_000)));
  bomb.writeUInt32BE(10, 20);
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
  assert.equal(decodePlainPng(bomb, MANY), undefined);
});
