// Cutting out, shrinking, pasting and stamping, on drawn pictures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawDisc } from '../testing.ts';
import { createCanvas, cutOut, layInk, paste, resizeSprite, stamp } from './canvas.ts';

test('cutOut makes the ground transparent and keeps white inside the picture', () => {
  const image = drawDisc(40, [200, 30, 30]);
  for (let i = 18; i < 22; i++) image.data.fill(255, 3 * (40 * i + 18), 3 * (40 * i + 22));
  const sprite = cutOut(image, 40);
  const opacity = (x: number, y: number): number => sprite.data[4 * (40 * y + x) + 3] ?? -1;
  assert.equal(opacity(0, 0), 0);
  assert.equal(opacity(20, 10), 255);
  assert.equal(opacity(20, 20), 255, 'the white spot in the middle is part of the picture');
});

test('a cut-out on white is the picture again; on black it has no white rim', () => {
  const image = drawDisc(40, [30, 120, 200]);
  const sprite = cutOut(image, 40);
  const white = createCanvas(40, [255, 255, 255]);
  paste(white, sprite, 0, 0);
  const worst = image.data.reduce(
    (most, v, i) => Math.max(most, Math.abs(v - (white.data[i] ?? 0))),
    0,
  );
  assert.ok(worst <= 2, `off by ${worst}`);
  const black = createCanvas(40, [0, 0, 0]);
  paste(black, sprite, 0, 0);
  assert.ok(Math.max(...black.data) <= 200);
});

test('shrinking keeps the mean; pasting outside the canvas is cut off', () => {
  const sprite = cutOut(drawDisc(84, [255, 0, 0]), 84);
  const mean = (data: Uint8Array): number => data.reduce((a, b) => a + b, 0) / data.length;
  const small = resizeSprite(sprite, 21);
  assert.equal(small.side, 21);
  assert.ok(Math.abs(mean(small.data) - mean(sprite.data)) < 0.5);
  const canvas = createCanvas(10, [9, 9, 9]);
  paste(canvas, small, -30, -30);
  paste(canvas, small, 10, 10);
  assert.ok(canvas.data.every((value) => value === 9));
});

test('a picture that is not square keeps its ratio', () => {
  const image = { width: 60, height: 20, data: new Uint8Array(60 * 20 * 3).fill(7) };
  const sprite = cutOut(image, 30);
  const row = (y: number): number => sprite.data[4 * (30 * y + 15) + 3] ?? -1;
  assert.equal(row(15), 255);
  assert.equal(row(2), 0);
  assert.equal(row(28), 0);
});

test('a stamp lands where it is put, and ink follows the mask', () => {
  const grey = new Uint8Array(28 * 28).fill(255);
  const mask = new Uint8Array(84 * 84);
  stamp(mask, 84, grey, 28, { centreX: 42, centreY: 20, size: 28, angle: 0 });
  assert.equal(mask[84 * 20 + 42], 255);
  assert.equal(mask[84 * 20 + 29], 255);
  assert.equal(mask[84 * 20 + 26], 0);
  assert.equal(mask[84 * 40 + 42], 0);
  const canvas = createCanvas(84, [250, 250, 250]);
  layInk(canvas, mask, [10, 20, 30]);
  assert.deepEqual(
    [...canvas.data.subarray(3 * (84 * 20 + 42), 3 * (84 * 20 + 42) + 3)],
    [10, 20, 30],
  );
});
