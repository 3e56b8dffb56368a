// Augmentation: repeatable, off by default, and each change does what it says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import type { RgbImage } from '../pixels.ts';
import { type AugmentInput, augment, augmentSchema, NO_AUGMENT } from './augment.ts';

const SIDE = 20;

/** White with a coloured block in the left half. */
function block(): RgbImage {
  const data = new Uint8Array(SIDE * SIDE * 3).fill(255);
  for (let y = 6; y < 14; y++) {
    for (let x = 2; x < 8; x++) data.set([200, 40, 90], 3 * (y * SIDE + x));
  }
  return { width: SIDE, height: SIDE, data };
}

function run(settings: AugmentInput, seed = 1): RgbImage {
  return augment(block(), createRandom('augment', seed), augmentSchema.parse(settings));
}

const pixel = (image: RgbImage, x: number, y: number): number[] =>
  Array.from(image.data.subarray(3 * (y * SIDE + x), 3 * (y * SIDE + x) + 3));

test('no settings, no change; the input is never touched', () => {
  assert.deepEqual(augmentSchema.parse({}), NO_AUGMENT);
  assert.deepEqual(run({}), block());
  const input = block();
  const shared = { ...input, data: Buffer.from(input.data.buffer) };
  const strong = augmentSchema.parse({ rotation: 1, blur: 1, anyPaper: 1, outline: 1 });
  augment(shared, createRandom(1), strong);
  assert.deepEqual(input, block());
});

test('the same stream gives the same bytes, another stream others', () => {
  const all = { rotation: 0.2, scaleMin: 0.8, scaleMax: 1.1, shift: 0.1, outline: 1, gamma: 0.3 };
  assert.deepEqual(run(all, 5), run(all, 5));
  assert.notDeepEqual(run(all, 5), run(all, 6));
});

test('every call takes the same number of draws, whatever the settings', () => {
  const after = (settings: AugmentInput): number => {
    const random = createRandom('draws');
    augment(block(), random, augmentSchema.parse(settings));
    return random.next();
  };
  assert.equal(
    after({}),
    after({ rotation: 1, flip: 1, anyPaper: 1, outline: 1, blur: 1, grey: 1 }),
  );
});

test('a flip mirrors exactly', () => {
  const flipped = run({ flip: 1 });
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      assert.deepEqual(pixel(flipped, x, y), pixel(block(), SIDE - 1 - x, y));
    }
  }
});

test('a smaller picture shows the background all around', () => {
  const small = run({ scaleMin: 0.5, scaleMax: 0.5, background: [7, 8, 9] });
  assert.deepEqual(pixel(small, 0, 0), [7, 8, 9]);
  assert.deepEqual(pixel(small, 2, 10), [7, 8, 9]);
  assert.deepEqual(pixel(small, 14, 10), [255, 255, 255]);
  assert.deepEqual(pixel(small, 7, 10), [200, 40, 90]);
});

test('a shift moves the block and keeps its size', () => {
  const dark = (image: RgbImage): number => image.data.reduce((sum, v) => sum + 255 - v, 0);
  for (let seed = 0; seed < 10; seed++) {
    const moved = run({ shift: 0.08 }, seed);
    const ratio = dark(moved) / dark(block());
    assert.ok(Math.abs(ratio - 1) < 0.02, `ink ${ratio}`);
  }
});

test('white stays white under contrast, white balance, gamma, saturation and grey', () => {
  const strong = { contrast: 0.5, whiteBalance: 0.2, gamma: 0.4, saturation: 0.9, grey: 0.5 };
  for (let seed = 0; seed < 10; seed++) {
    assert.deepEqual(pixel(run(strong, seed), 15, 3), [255, 255, 255]);
  }
  const [r, g, b] = pixel(run({ grey: 1 }), 4, 10);
  assert.ok(r === g && g === b);
});

test('paper is recoloured, the drawing is not, and neither is white inside of it', () => {
  const image = block();
  image.data.fill(255, 3 * (10 * SIDE + 5), 3 * (10 * SIDE + 6)); // a white eye
  const paint = (settings: AugmentInput, seed: number): RgbImage =>
    augment(image, createRandom('paper', seed), augmentSchema.parse(settings));
  let dark = 0;
  for (let seed = 0; seed < 20; seed++) {
    const light = paint({ tint: 1 }, seed);
    assert.ok(pixel(light, 15, 3).every((v) => v >= 178));
    assert.deepEqual(pixel(light, 4, 8), [200, 40, 90]);
    assert.deepEqual(pixel(light, 5, 10), [255, 255, 255]);
    const any = paint({ anyPaper: 1, scaleMin: 0.5, scaleMax: 0.5 }, seed);
    assert.deepEqual(pixel(any, 0, 0), pixel(any, 15, 8), 'beside the picture the same');
    dark += Math.min(...pixel(any, 0, 0)) < 178 ? 1 : 0;
  }
  assert.ok(dark > 10);
  const coloured = { ...image, data: image.data.map((v) => v / 2) };
  const same = augment(coloured, createRandom(1), augmentSchema.parse({ anyPaper: 1 }));
  assert.deepEqual(same, coloured);
});

test('the mean of the corners can lie beside a picture', () => {
  const data = new Uint8Array(SIDE * SIDE * 3).fill(90);
  const image = { width: SIDE, height: SIDE, data };
  const settings = { scaleMin: 0.5, scaleMax: 0.5, rotation: 1, background: 'corners' } as const;
  const turned = augment(image, createRandom(1), augmentSchema.parse(settings));
  assert.deepEqual(turned, image);
});

test('an outline darkens edges only; a blur softens', () => {
  const outlined = run({ outline: 1 });
  assert.deepEqual(pixel(outlined, 15, 3), [255, 255, 255]);
  assert.deepEqual(pixel(outlined, 4, 10), [200, 40, 90]);
  assert.ok((pixel(outlined, 2, 10)[0] ?? 255) < 120);
  assert.deepEqual(pixel(run({ blur: 1 }), 8, 10), [237, 183, 200]);
});

test('unknown keys and impossible strengths are errors', () => {
  assert.throws(() => augmentSchema.parse({ rotate: 1 }), /rotate/);
  assert.throws(() => augmentSchema.parse({ flip: 2 }));
  assert.throws(() => augmentSchema.parse({ scaleMin: 2, scaleMax: 1 }), /scaleMin/);
});
