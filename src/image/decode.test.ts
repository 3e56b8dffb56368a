// Every kind of picture file, EXIF turns, too large and damaged ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { decodeImage, readImageSize } from './decode.ts';
import type { RgbImage } from './pixels.ts';

/** 3 × 2 pixels, all different, so that every turn and mirror shows. */
const PIXELS = Uint8Array.from([
  250, 10, 10, 10, 250, 10, 10, 10, 250, 240, 240, 10, 10, 240, 240, 240, 10, 240,
]);
const source = (): Sharp => sharp(PIXELS, { raw: { width: 3, height: 2, channels: 3 } });

async function decodeAndCompare(bytes: Uint8Array): Promise<RgbImage> {
  const image = await decodeImage(bytes);
  const { width, height } = image;
  assert.deepEqual(await readImageSize(bytes), { width, height }, 'header and pixels agree');
  assert.equal(image.data.length, width * height * 3);
  return image;
}

test('lossless kinds give the pixels back, palettes nearly', async () => {
  const kinds = [
    [source().png(), 0],
    [source().webp({ lossless: true }), 0],
    [source().tiff({ compression: 'lzw' }), 0],
    [source().gif({ dither: 0 }), 8],
    [source().png({ palette: true, dither: 0 }), 8],
  ] as const;
  for (const [kind, tolerance] of kinds) {
    const image = await decodeAndCompare(await kind.toBuffer());
    assert.deepEqual([image.width, image.height], [3, 2]);
    const worst = image.data.reduce((m, v, i) => Math.max(m, Math.abs(v - (PIXELS[i] ?? 0))), 0);
    assert.ok(worst <= tolerance, `off by ${worst}`);
  }
});

test('transparency lies on white', async () => {
  const rgba = Uint8Array.of(255, 0, 0, 128, 9, 9, 9, 0);
  const png = await sharp(rgba, { raw: { width: 2, height: 1, channels: 4 } })
    .png()
    .toBuffer();
  const { data } = await decodeAndCompare(png);
  assert.deepEqual(Array.from(data), [255, 127, 127, 255, 255, 255]);
});

test('grey, grey with transparency, and 16 bits', async () => {
  const grey = sharp(Uint8Array.of(0, 100, 255), { raw: { width: 3, height: 1, channels: 1 } });
  const one = await decodeAndCompare(await grey.toColourspace('b-w').png().toBuffer());
  assert.deepEqual(Array.from(one.data), [0, 0, 0, 100, 100, 100, 255, 255, 255]);
  const two = sharp(Uint8Array.of(100, 255, 7, 0), { raw: { width: 2, height: 1, channels: 2 } });
  const alpha = await decodeAndCompare(await two.toColourspace('b-w').png().toBuffer());
  assert.deepEqual(Array.from(alpha.data), [100, 100, 100, 255, 255, 255]);
  const deep = await source().toColourspace('rgb16').png().toBuffer();
  assert.deepEqual(Array.from((await decodeAndCompare(deep)).data), Array.from(PIXELS));
});

test('CMYK becomes RGB', async () => {
  const red = sharp({ create: { width: 4, height: 4, channels: 3, background: '#e01010' } });
  const jpeg = await red.toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
  const [r = 0, g = 0, b = 0] = (await decodeAndCompare(jpeg)).data;
  assert.ok(r > 150 && g < 90 && b < 90, `${r} ${g} ${b}`);
});

test('EXIF orientation turns size and pixels alike', async () => {
  const at = (image: RgbImage, x: number, y: number): number[] =>
    Array.from(image.data.subarray(3 * (y * image.width + x), 3 * (y * image.width + x) + 3));
  const corner: Readonly<Record<number, readonly [number, number]>> = {
    // where the red pixel (stored top left) is seen
    1: [0, 0],
    2: [2, 0],
    3: [2, 1],
    4: [0, 1],
    5: [0, 0],
    6: [1, 0],
    7: [1, 2],
    8: [0, 2],
  };
  for (const [orientation, [x, y]] of Object.entries(corner)) {
    const bytes = await source()
      .png()
      .withMetadata({ orientation: Number(orientation) })
      .toBuffer();
    const image = await decodeAndCompare(bytes);
    assert.deepEqual(at(image, x, y), [250, 10, 10], `orientation ${orientation}`);
    assert.equal(image.width, Number(orientation) > 4 ? 2 : 3);
  }
});

test('of an animation the first frame counts', async () => {
  const frame = (background: string): Promise<Buffer> =>
    sharp({ create: { width: 8, height: 6, channels: 3, background } })
      .png()
      .toBuffer();
  const gif = await sharp([await frame('#ff0000'), await frame('#0000ff')], {
    join: { animated: true },
  })
    .gif()
    .toBuffer();
  const image = await decodeAndCompare(gif);
  assert.deepEqual([image.width, image.height], [8, 6]);
  assert.deepEqual(Array.from(image.data.subarray(0, 3)), [255, 0, 0]);
});

test('an SVG is drawn at 72 dpi', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="5"></svg>';
  const image = await decodeAndCompare(Buffer.from(svg));
  assert.deepEqual([image.width, image.height, image.data[0]], [9, 5, 255]);
});

test('too many pixels are refused before they are decoded', async () => {
  const flat = { width: 4000, height: 4000, channels: 3, background: '#fff' } as const;
  const bomb = await sharp({ create: flat }).png({ compressionLevel: 9 }).toBuffer();
  assert.ok(bomb.length < 100_000);
  await assert.rejects(decodeImage(bomb, { maxPixels: 1_000_000 }), {
    code: 'data',
    message: /at most 1000000 pixels/,
    hint: /maxPixels/,
  });
  assert.deepEqual(await readImageSize(bomb), { width: 4000, height: 4000 });
});

test('what is no picture, or only a part of one, is a data error', async () => {
  const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#a52' } })
    .jpeg()
    .toBuffer();
  const png = await source().png().toBuffer();
  const broken = [
    Buffer.alloc(0),
    Buffer.from('no picture at all'),
    jpeg.subarray(0, jpeg.length - 60),
    png.subarray(0, png.length - 20),
    png.subarray(0, 30),
  ];
  for (const bytes of broken) {
    await assert.rejects(decodeImage(bytes), { code: 'data', message: /came \d+ bytes/ });
  }
  await assert.rejects(readImageSize(Buffer.from('nothing')), { code: 'data' });
});
