// Measures of pictures on pictures whose measures are known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import type { RgbImage } from '../../image/pixels.ts';
import { lookAt } from './look.ts';

const OPTIONS = { hash: false, tiling: true };

function draw(colour: (x: number, y: number) => readonly [number, number, number]): RgbImage {
  const data = new Uint8Array(96 * 96 * 3);
  for (let y = 0; y < 96; y++) {
    for (let x = 0; x < 96; x++) data.set(colour(x, y), 3 * (96 * y + x));
  }
  return { width: 96, height: 96, data };
}

test('an even picture has no tones, colours, edges or pattern', async () => {
  const look = await lookAt(
    draw(() => [9, 9, 9]),
    OPTIONS,
  );
  assert.equal(look.spread, 0);
  assert.equal(look.dark, 1);
  assert.equal(look.entropy, 0);
  assert.equal(look.colourfulness, 0);
  assert.equal(look.edges, 0);
  assert.equal(look.tiling, 0);
  assert.equal(look.hash, null);
});

test('two even halves are one bit, and one edge', async () => {
  const look = await lookAt(
    draw((x) => (x < 48 ? [0, 0, 0] : [255, 255, 255])),
    OPTIONS,
  );
  assert.ok(Math.abs(look.entropy - 1) < 1e-9);
  assert.equal(look.dark, 0.5);
  assert.ok(Math.abs(look.edges - 1 / 63) < 1e-9);
});

test('a pure red and green field is as colourful as the formula says', async () => {
  const look = await lookAt(
    draw((x) => (x < 48 ? [255, 0, 0] : [0, 255, 0])),
    OPTIONS,
  );
  // rg = ±255: mean 0, deviation 255; yb = 127.5 throughout.
  assert.ok(Math.abs(look.colourfulness - (255 + 0.3 * 127.5)) < 1e-6);
});

test('a stamp laid over noise at one distance shows, noise alone does not', async () => {
  const random = createRandom('noise');
  const noise = Array.from({ length: 96 * 96 }, () => random.int(80));
  const at = (x: number, y: number): number => noise[96 * y + x] ?? 0;
  const plain = await lookAt(
    draw((x, y) => [at(x, y), at(x, y), at(x, y)]),
    OPTIONS,
  );
  const stamp = (x: number, y: number): number => (((x % 24) + (y % 24) * 2) % 9 === 0 ? 170 : 0);
  const stamped = await lookAt(
    draw((x, y) => {
      const value = at(x, y) + stamp(x, y);
      return [value, value, value];
    }),
    OPTIONS,
  );
  assert.ok((plain.tiling ?? 1) < 0.3, `noise ${plain.tiling}`);
  assert.ok((stamped.tiling ?? 0) > 0.5, `stamp ${stamped.tiling}`);
});
