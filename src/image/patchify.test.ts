// Patches against a loop written from the definition.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { createRandom } from '../core/hash.ts';
import { type ProcessorConfig, QWEN_PROCESSOR } from './config.ts';
import { patchify, processImage, processRgb } from './patchify.ts';
import type { RgbImage } from './pixels.ts';
import { countImageTokens } from './smart-resize.ts';

function noise(width: number, height: number): RgbImage {
  const random = createRandom('noise', width, height);
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.int(256));
  return { width, height, data };
}

/** The definition, read off the permutation (t, H/2, W/2, 2, 2, C, 14, 14), one value a time. */
function naive(image: RgbImage, cfg: ProcessorConfig): Float32Array {
  const { patchSize: p, mergeSize: m } = cfg;
  const [gridH, gridW] = [image.height / p, image.width / p];
  const out: number[] = [];
  for (let Y = 0; Y < gridH / m; Y++)
    for (let X = 0; X < gridW / m; X++)
      for (let my = 0; my < m; my++)
        for (let mx = 0; mx < m; mx++)
          for (let c = 0; c < 3; c++)
            for (let row = 0; row < p; row++)
              for (let column = 0; column < p; column++) {
                const y = (Y * m + my) * p + row;
                const x = (X * m + mx) * p + column;
                const value = (image.data[(y * image.width + x) * 3 + c] ?? 0) / 255;
                out.push((value - (cfg.mean[c] ?? 0)) / (cfg.std[c] ?? 1));
              }
  return Float32Array.from(out);
}

test('patches equal the definition for several shapes and block sizes', () => {
  const small: ProcessorConfig = { ...QWEN_PROCESSOR, patchSize: 2, mergeSize: 3 };
  for (const [image, cfg] of [
    [noise(84, 56), QWEN_PROCESSOR],
    [noise(28, 140), QWEN_PROCESSOR],
    [noise(12, 18), small],
    [noise(5, 10), { ...small, patchSize: 5, mergeSize: 1 }],
  ] as const) {
    const { pixels, gridH, gridW } = patchify(image, cfg);
    assert.equal(gridH * cfg.patchSize, image.height);
    assert.equal(gridW * cfg.patchSize, image.width);
    assert.deepEqual(pixels, naive(image, cfg));
  }
});

test('one marked pixel lands where the rules say', () => {
  const image = { width: 84, height: 56, data: new Uint8Array(84 * 56 * 3) };
  // y = 17, x = 45: patch row 1, column 3 → block (0, 1), inside (1, 1) → row 4 + 3 of the output
  image.data[3 * (17 * 84 + 45) + 2] = 255;
  const { pixels } = patchify(image, QWEN_PROCESSOR);
  const column = 2 * 196 + 3 * 14 + 3;
  assert.equal(pixels[7 * 588 + column], Math.fround((1 - 0.40821073) / 0.27577711));
  const black = Math.fround(-0.40821073 / 0.27577711);
  assert.equal(pixels.filter((v) => v > black && v > 0).length, 1);
});

test('sides that are no multiples of 28 are refused with a remedy', () => {
  assert.throws(() => patchify(noise(84, 70), QWEN_PROCESSOR), {
    code: 'data',
    message: /multiples of 28.*84 × 70/,
    hint: /processRgb/,
  });
});

test('bytes to patches: as many rows as were counted from the size', async () => {
  for (const [width, height] of [
    [84, 84],
    [100, 37],
    [11, 300],
  ] as const) {
    const { data } = noise(width, height);
    const png = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const { pixels, gridH, gridW } = await processImage(png, QWEN_PROCESSOR);
    const count = countImageTokens(height, width, QWEN_PROCESSOR);
    assert.deepEqual([gridH, gridW], [count.gridH, count.gridW]);
    assert.equal(pixels.length, count.patches * 588);
  }
});

test('resizing keeps a flat colour flat, and the right size untouched', async () => {
  const flat = { width: 50, height: 90, data: new Uint8Array(50 * 90 * 3).fill(200) };
  const { pixels } = await processRgb(flat, QWEN_PROCESSOR);
  const expected = [0, 1, 2].map((c) =>
    Math.fround((200 / 255 - (QWEN_PROCESSOR.mean[c] ?? 0)) / (QWEN_PROCESSOR.std[c] ?? 1)),
  );
  pixels.forEach((v, i) => {
    assert.equal(v, expected[Math.floor((i % 588) / 196)]);
  });
  const exact = noise(84, 84);
  assert.deepEqual(
    (await processRgb(exact, QWEN_PROCESSOR)).pixels,
    patchify(exact, QWEN_PROCESSOR).pixels,
  );
});
