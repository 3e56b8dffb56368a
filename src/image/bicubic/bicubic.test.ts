// The SIMD passes against loops in plain JavaScript; Pillow's own pixels are in test/parity.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../core/hash.ts';
import type { RgbImage } from '../pixels.ts';
import { type Axis, FRACTION_BITS, planAxis } from './axis.ts';
import { resizeBicubic } from './bicubic.ts';
import { generateWasm } from './generate-wasm.ts';

function noise(width: number, height: number): RgbImage {
  const random = createRandom('bicubic', width, height);
  const data = Uint8Array.from({ length: width * height * 3 }, () => random.int(256));
  return { width, height, data };
}

/** One axis of `at(line, position, channel)`, in numbers that hold every sum exactly. */
function pass(at: (i: number) => number, axis: Axis, target: number): number {
  let sum = 2 ** (FRACTION_BITS - 1);
  for (let k = 0; k < (axis.count[target] as number); k++) {
    sum +=
      (axis.weights[target * axis.stride + k] as number) * at((axis.first[target] as number) + k);
  }
  return Math.min(255, Math.max(0, Math.floor(sum / 2 ** FRACTION_BITS)));
}

function across({ data, width, height }: RgbImage, to: number): RgbImage {
  const axis = planAxis(width, to);
  const out = Uint8Array.from({ length: to * height * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / to), Math.floor(i / 3) % to, i % 3];
    return pass((j) => data[3 * (y * width + j) + c] as number, axis, x);
  });
  return { width: to, height, data: out };
}

function down({ data, width, height }: RgbImage, to: number): RgbImage {
  const axis = planAxis(height, to);
  const out = Uint8Array.from({ length: to * width * 3 }, (_, i) => {
    const [y, inRow] = [Math.floor(i / 3 / width), i % (3 * width)];
    return pass((j) => data[3 * j * width + inRow] as number, axis, y);
  });
  return { width, height: to, data: out };
}

test('both passes equal plain loops at every size and remainder', () => {
  for (const [width, height, toWidth, toHeight] of [
    [40, 30, 28, 56],
    [13, 17, 84, 28],
    [50, 5, 7, 3],
    [1, 1, 28, 28],
    [64, 9, 65, 8],
  ] as const) {
    const image = noise(width, height);
    const columnsFirst = toHeight < height && toWidth > width;
    const expected = columnsFirst
      ? across(down(image, toHeight), toWidth)
      : down(across(image, toWidth), toHeight);
    assert.deepEqual(resizeBicubic(image, toWidth, toHeight), expected);
  }
});

test('the same size is the same image; one changed side resizes along it only', () => {
  const image = noise(20, 10);
  assert.equal(resizeBicubic(image, 20, 10), image);
  assert.deepEqual(resizeBicubic(image, 9, 10), across(image, 9));
  assert.deepEqual(resizeBicubic(image, 20, 13), down(image, 13));
});

test('weights of each target pixel sum to one and stay inside the source', () => {
  for (const [from, to] of [
    [100, 28],
    [28, 100],
    [3, 84],
    [1000, 1],
  ] as const) {
    const { first, count, weights, stride } = planAxis(from, to);
    for (let i = 0; i < to; i++) {
      const own = weights.subarray(i * stride, i * stride + (count[i] as number));
      const sum = own.reduce((total, weight) => total + weight, 0);
      assert.ok(Math.abs(sum / 2 ** FRACTION_BITS - 1) < 1e-5);
      assert.ok((first[i] as number) >= 0 && (first[i] as number) + own.length <= from);
    }
  }
});

test('bicubic-wasm.ts is what the generator writes today', async () => {
  const path = fileURLToPath(new URL('bicubic-wasm.ts', import.meta.url));
  const args = ['biome', 'check', '--write', `--stdin-file-path=${path}`];
  const { stdout } = spawnSync('npx', args, { input: await generateWasm(), encoding: 'utf8' });
  assert.equal(readFileSync(path, 'utf8'), stdout, 'run `npm run generate` and commit it');
});
