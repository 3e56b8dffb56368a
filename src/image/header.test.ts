// The header parser against libvips, and on torn files.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { readImageSize } from './decode.ts';
import { parseImageSize } from './header.ts';

const picture = (width: number, height: number, alpha = 1): Sharp =>
  sharp({ create: { width, height, channels: 4, background: { r: 200, g: 40, b: 9, alpha } } });

test('plain files are settled by their header, and as libvips says', async () => {
  for (const [width, height] of [
    [84, 84],
    [1, 700],
    [513, 2],
  ] as const) {
    const kinds = [
      picture(width, height).png(),
      picture(width, height).png({ palette: true }),
      picture(width, height).jpeg(),
      picture(width, height).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
      picture(width, height).flatten().webp(),
      picture(width, height).flatten().webp({ lossless: true }),
    ];
    for (const kind of kinds) {
      const bytes = await kind.toBuffer();
      assert.deepEqual(parseImageSize(bytes), { width, height });
      const { width: w, height: h } = await sharp(bytes).metadata();
      assert.deepEqual([w, h], [width, height]);
    }
  }
});

test('files with an orientation are left to libvips', async () => {
  for (const kind of [picture(30, 20).jpeg(), picture(30, 20).png(), picture(30, 20).webp()]) {
    const bytes = await kind.withMetadata({ orientation: 6 }).toBuffer();
    assert.equal(parseImageSize(bytes), undefined);
    assert.deepEqual(await readImageSize(bytes), { width: 20, height: 30 });
  }
});

test('other kinds and torn files are not settled, at any length', async () => {
  assert.equal(parseImageSize(await picture(8, 8).gif().toBuffer()), undefined);
  assert.equal(parseImageSize(new Uint8Array(0)), undefined);
  assert.equal(parseImageSize(Buffer.from('RIFF1234WEBPnone')), undefined);
  const png = await picture(8, 8).png().toBuffer();
  for (let n = 0; n < png.length - 12; n++) {
    assert.equal(parseImageSize(png.subarray(0, n)), undefined);
  }
  const jpeg = await picture(8, 8).jpeg().toBuffer();
  for (let n = 0; n < jpeg.length; n++) {
    const size = parseImageSize(jpeg.subarray(0, n));
    assert.ok(size === undefined || size.width === 8);
  }
});
