// The pixel work of augmentation: plain loops over [height, width, 3] floats in 0–255.
// Knows no randomness; augment.ts draws the numbers.

import { luma, type RgbImage } from '../pixels.ts';
import type { ImageSize } from '../smart-resize.ts';
import { PAPER } from './paper.ts';

/**
 * Sample the picture through an affine map, bilinear, with a colour behind it.
 * @param m [xx, xy, yx, yy, x, y]: from an output point (pixels from the centre) to the input
 * point; x and y are in units of the width and the height.
 * @returns [height, width, 3].
 */
export function applyAffine(
  image: RgbImage,
  m: readonly [number, number, number, number, number, number],
  background: readonly [number, number, number],
): Float32Array {
  const { width, height, data } = image;
  const [xx, xy, yx, yy, shiftX, shiftY] = m;
  const out = new Float32Array(width * height * 3);
  const centreX = width / 2 - 0.5;
  const centreY = height / 2 - 0.5;
  const [red, green, blue] = background;
  let to = 0;
  for (let row = 0; row < height; row++) {
    const dy = row - centreY;
    let x = -xx * centreX + xy * dy + shiftX * width + centreX;
    let y = -yx * centreX + yy * dy + shiftY * height + centreY;
    for (let column = 0; column < width; column++, to += 3, x += xx, y += yx) {
      const left = Math.floor(x);
      const top = Math.floor(y);
      if (left < -1 || top < -1 || left >= width || top >= height) {
        out[to] = red;
        out[to + 1] = green;
        out[to + 2] = blue;
        continue;
      }
      const fx = x - left;
      const fy = y - top;
      if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) {
        sampleBorder(image, left, top, fx, fy, background, out, to);
        continue;
      }
      const a = 3 * (top * width + left);
      const b = a + 3 * width;
      for (let c = 0; c < 3; c++) {
        const upper = (data[a + c] as number) * (1 - fx) + (data[a + c + 3] as number) * fx;
        const lower = (data[b + c] as number) * (1 - fx) + (data[b + c + 3] as number) * fx;
        out[to + c] = upper + (lower - upper) * fy;
      }
    }
  }
  return out;
}

/** One bilinear sample of which at least one of the four pixels lies outside the picture. */
function sampleBorder(
  image: RgbImage,
  left: number,
  top: number,
  fx: number,
  fy: number,
  background: readonly [number, number, number],
  out: Float32Array,
  to: number,
): void {
  const { width, height, data } = image;
  for (let c = 0; c < 3; c++) {
    const at = (x: number, y: number): number =>
      x < 0 || y < 0 || x >= width || y >= height
        ? (background[c] as number)
        : (data[3 * (y * width + x) + c] as number);
    const upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx;
    const lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx;
    out[to + c] = upper + (lower - upper) * fy;
  }
}

/**
 * Darken contours in place. With g = (largest − smallest brightness in a window) in 0–1, pixels
 * are multiplied by 1 − ink · clamp((g − 0.12) · gain, 0, 1). Where drawing meets paper the
 * contour is full: paper counts as two brighter than it is.
 */
export function outline(
  image: RgbImage,
  kinds: Uint8Array,
  window: 3 | 5,
  gain: number,
  ink: number,
): void {
  const { width, height, data } = image;
  const high = new Float32Array(width * height);
  for (let i = 0; i < high.length; i++) {
    high[i] = luma(data, i) / 255 + (kinds[i] === PAPER ? 2 : 0);
  }
  const low = high.slice();
  const reach = (window - 1) / 2;
  widen(high, low, height, width, 1, reach);
  widen(high, low, width, 1, width, reach);
  for (let i = 0; i < high.length; i++) {
    const edge = ((high[i] as number) - (low[i] as number) - 0.12) * gain;
    if (edge <= 0) continue;
    const factor = 1 - ink * Math.min(1, edge);
    for (let c = 3 * i; c < 3 * i + 3; c++) data[c] = Math.round((data[c] as number) * factor);
  }
}

/**
 * Largest and smallest value within `reach` along lines, in place: `high` grows, `low` shrinks.
 * Lines begin `lineStep` apart (1 for columns); their pixels lie `step` apart.
 */
function widen(
  high: Float32Array,
  low: Float32Array,
  lines: number,
  lineStep: number,
  step: number,
  reach: number,
): void {
  const largest = high.slice();
  const smallest = low.slice();
  const length = high.length / lines;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep;
    for (let distance = 1; distance <= reach; distance++) {
      const gap = distance * step;
      const end = start + (length - distance) * step;
      for (let i = start; i < end; i += step) {
        const j = i + gap;
        if ((largest[j] as number) > (high[i] as number)) high[i] = largest[j] as number;
        if ((largest[i] as number) > (high[j] as number)) high[j] = largest[i] as number;
        if ((smallest[j] as number) < (low[i] as number)) low[i] = smallest[j] as number;
        if ((smallest[i] as number) < (low[j] as number)) low[j] = smallest[i] as number;
      }
    }
  }
}

/** Mean over 3 × 3 pixels, in place; the border repeats. */
export function blur(pixels: Float32Array, size: ImageSize): void {
  const { width, height } = size;
  meanOfThree(pixels, height, 3 * width, width, 3);
  meanOfThree(pixels, width, 3, height, 3 * width);
}

/** Mean of neighbours along lines: `lines` of them, each of `length` pixels `step` apart. */
function meanOfThree(
  pixels: Float32Array,
  lines: number,
  lineStep: number,
  length: number,
  step: number,
): void {
  for (let line = 0; line < lines; line++) {
    for (let c = 0; c < 3; c++) {
      let at = line * lineStep + c;
      let before = pixels[at] as number;
      for (let i = 0; i < length; i++, at += step) {
        const here = pixels[at] as number;
        const after = i + 1 < length ? (pixels[at + step] as number) : here;
        pixels[at] = (before + here + after) / 3;
        before = here;
      }
    }
  }
}

/**
 * Colour changes in one pass, then bytes: distance from grey times `saturation`; distance from
 * white times `depth`; to the power of `gamma`.
 */
export function applyColour(
  pixels: Float32Array,
  saturation: number,
  depth: readonly number[],
  gamma: number,
): Uint8Array {
  const out = new Uint8Array(pixels.length);
  const tables = depth.map((factor) => toneTable(factor, gamma));
  const [red, green, blue] = tables as [Uint8Array, Uint8Array, Uint8Array];
  for (let i = 0; i < pixels.length; i += 3) {
    const r = pixels[i] as number;
    const g = pixels[i + 1] as number;
    const b = pixels[i + 2] as number;
    const grey = 0.299 * r + 0.587 * g + 0.114 * b;
    out[i] = red[toByte(grey + (r - grey) * saturation)] as number;
    out[i + 1] = green[toByte(grey + (g - grey) * saturation)] as number;
    out[i + 2] = blue[toByte(grey + (b - grey) * saturation)] as number;
  }
  return out;
}

function toneTable(depth: number, gamma: number): Uint8Array {
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value++) {
    const tone = Math.min(1, Math.max(0, 1 - (1 - value / 255) * depth));
    table[value] = toByte(255 * (gamma === 1 ? tone : tone ** gamma));
  }
  return table;
}

function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
}
