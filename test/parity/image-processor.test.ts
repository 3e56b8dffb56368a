// Our pixels against transformers' Qwen2VLImageProcessor on Pillow: golden/image-processor.safetensors,
// made by make-image-processor.py. Equal to the byte, a JPEG's decoding included.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QWEN_PROCESSOR } from '../../src/image/config.ts';
import { type Patches, processImage, processRgb } from '../../src/image/patchify.ts';
import type { RgbImage } from '../../src/image/pixels.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';

const golden = openSafetensors(
  new URL('golden/image-processor.safetensors', import.meta.url).pathname,
);
const read = (name: string): number[] => golden.tensor(name).toNumbers();

/** The formula of make-image-processor.py. */
function picture(index: number, height: number, width: number): RgbImage {
  const data = new Uint8Array(height * width * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const n = (at + index * 7919) >>> 0;
        const noise = (Math.imul(n, 2654435761) >>> 13) & 255;
        const smooth = (x * 3 + y * 5 + c * 40 + Math.floor((x * y) / 37)) % 256;
        data[at++] = index % 2 === 0 ? noise : smooth;
      }
    }
  }
  return { width, height, data };
}

/** Share of values whose byte differs, and by how much at most. */
function compare(
  { pixels }: Patches,
  expected: readonly number[],
): { share: number; most: number } {
  const { mean, std } = QWEN_PROCESSOR;
  let [different, most] = [0, 0];
  assert.equal(pixels.length, expected.length);
  for (const [i, value] of pixels.entries()) {
    const channel = Math.floor((i % 588) / 196) as 0 | 1 | 2;
    const byte = Math.round((value * std[channel] + mean[channel]) * 255);
    const off = Math.abs(byte - (expected[i] as number));
    if (off > 0) different += 1;
    most = Math.max(most, off);
  }
  return { share: different / pixels.length, most };
}

const indices = golden.names.filter((name) => name.endsWith('/size')).map((name) => name[0]);

test('noise and smooth pictures, larger and smaller, are equal to the byte', async () => {
  assert.equal(indices.length, 7);
  for (const index of indices) {
    const [height = 0, width = 0] = read(`${index}/size`);
    const patches = await processRgb(picture(Number(index), height, width), QWEN_PROCESSOR);
    assert.deepEqual([patches.gridH, patches.gridW], read(`${index}/grid`));
    const { share, most } = compare(patches, read(`${index}/pixels`));
    assert.deepEqual({ share, most }, { share: 0, most: 0 }, `${height} × ${width}`);
  }
});

test('normalised values are within rounding of float32', async () => {
  const { pixels } = await processRgb(picture(3, 30, 40), QWEN_PROCESSOR);
  const expected = read('3/values');
  const most = pixels.reduce((m, v, i) => Math.max(m, Math.abs(v - (expected[i] as number))), 0);
  assert.ok(most < 1e-6, `off by ${most}`);
});

test('a JPEG decodes and resizes to the same bytes', async (t) => {
  const file = golden.tensor('jpeg/file').toArray() as Uint8Array;
  const patches = await processImage(file, QWEN_PROCESSOR);
  assert.deepEqual([patches.gridH, patches.gridW], read('jpeg/grid'));
  const { share, most } = compare(patches, read('jpeg/pixels'));
  t.diagnostic(`${(100 * share).toFixed(3)} % of the values differ, by up to ${most} of 255`);
  assert.ok(most <= 1 && share < 0.01, `${share} of the values differ, by up to ${most}`);
});
