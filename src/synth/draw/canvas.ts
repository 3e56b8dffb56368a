// Drawing in typed arrays: fill, paste a sprite, lay ink through a mask. Knows nothing of tasks.
// Shapes: RGB [height, width, 3], sprite [side, side, 4] premultiplied, mask [side, side]; bytes.
import type { RgbImage } from '../../image/pixels.ts';
import type { Rgb } from './palette.ts';

/** A square picture with soft edges; colours are already multiplied by their opacity. */
export interface Sprite {
  readonly side: number;
  readonly data: Uint8Array;
}

/** Where a square lies on the canvas, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** A square canvas of one colour. */
export function createCanvas(side: number, colour: Rgb): RgbImage {
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3] ?? 0;
  return { width: side, height: side, data };
}

/**
 * Makes a picture on a white ground a sprite of the given side. White that hangs together with
 * the border becomes transparent, white inside the picture stays. A pixel at the rim mixes the
 * picture with white; its opacity is how far its darkest channel is from white.
 */
export function cutOut(image: RgbImage, side: number): Sprite {
  const { width, height, data } = image;
  const ground = whiteGround(image);
  const premultiplied = new Float32Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    if (ground[i] === 1) continue;
    const opacity = touchesGround(ground, i, width) ? 1 - darkest(data, i) / 255 : 1;
    for (let c = 0; c < 3; c++) {
      premultiplied[4 * i + c] = Math.max(0, (data[3 * i + c] ?? 0) - 255 * (1 - opacity));
    }
    premultiplied[4 * i + 3] = 255 * opacity;
  }
  return { side, data: shrink(premultiplied, width, height, side) };
}

/** The sprite at another side, by area average. Meant for shrinking. */
export function resizeSprite(sprite: Sprite, side: number): Sprite {
  if (side === sprite.side) return sprite;
  return { side, data: shrink(sprite.data, sprite.side, sprite.side, side) };
}

/** Lays a sprite over the canvas, in place; parts outside are cut off. */
export function paste(canvas: RgbImage, sprite: Sprite, left: number, top: number): void {
  for (let y = 0; y < sprite.side; y++) {
    for (let x = 0; x < sprite.side; x++) {
      const [toX, toY] = [left + x, top + y];
      if (toX < 0 || toY < 0 || toX >= canvas.width || toY >= canvas.height) continue;
      const from = 4 * (y * sprite.side + x);
      const to = 3 * (toY * canvas.width + toX);
      const through = 1 - (sprite.data[from + 3] ?? 0) / 255;
      for (let c = 0; c < 3; c++) {
        canvas.data[to + c] = (sprite.data[from + c] ?? 0) + through * (canvas.data[to + c] ?? 0);
      }
    }
  }
}

/** Mixes ink into the canvas, in place: `mask` [height, width] 0–255 says how much. */
export function layInk(canvas: RgbImage, mask: Uint8Array, ink: Rgb): void {
  for (let i = 0; i < mask.length; i++) {
    const amount = (mask[i] ?? 0) / 255;
    if (amount === 0) continue;
    for (let c = 0; c < 3; c++) {
      const paper = canvas.data[3 * i + c] ?? 0;
      canvas.data[3 * i + c] = Math.round(paper + amount * ((ink[c] ?? 0) - paper));
    }
  }
}

/** A square stamp drawn into a mask: centre and size in pixels, angle in radians. */
export interface Placement {
  readonly centreX: number;
  readonly centreY: number;
  readonly size: number;
  readonly angle: number;
}

/**
 * Draws a grey stamp [side, side] into a mask [maskSide, maskSide], in place, bilinear; where
 * stamps overlap the darker wins.
 */
export function stamp(
  mask: Uint8Array,
  maskSide: number,
  grey: Uint8Array,
  side: number,
  at: Placement,
): void {
  const scale = side / at.size;
  const cos = Math.cos(at.angle) * scale;
  const sin = Math.sin(at.angle) * scale;
  const reach = at.size;
  const fromY = Math.max(0, Math.floor(at.centreY - reach));
  const fromX = Math.max(0, Math.floor(at.centreX - reach));
  for (let y = fromY; y < Math.min(maskSide, at.centreY + reach); y++) {
    for (let x = fromX; x < Math.min(maskSide, at.centreX + reach); x++) {
      const dx = x + 0.5 - at.centreX;
      const dy = y + 0.5 - at.centreY;
      const u = cos * dx - sin * dy + side / 2 - 0.5;
      const v = sin * dx + cos * dy + side / 2 - 0.5;
      const value = Math.round(bilinear(grey, side, u, v));
      const index = y * maskSide + x;
      if (value > (mask[index] ?? 0)) mask[index] = value;
    }
  }
}

function bilinear(grey: Uint8Array, side: number, u: number, v: number): number {
  const left = Math.floor(u);
  const top = Math.floor(v);
  const right = u - left;
  const down = v - top;
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= side || y >= side ? 0 : (grey[y * side + x] ?? 0);
  const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
  const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
  return upper * (1 - down) + lower * down;
}

/** 1 for each white pixel that hangs together with the border, by flood fill. */
function whiteGround({ width, height, data }: RgbImage): Uint8Array {
  const ground = new Uint8Array(width * height);
  const open: number[] = [];
  const visit = (x: number, y: number): void => {
    const i = y * width + x;
    if (x < 0 || y < 0 || x >= width || y >= height || ground[i] === 1) return;
    if (darkest(data, i) < 250) return;
    ground[i] = 1;
    open.push(i);
  };
  for (let x = 0; x < width; x++) [visit(x, 0), visit(x, height - 1)];
  for (let y = 0; y < height; y++) [visit(0, y), visit(width - 1, y)];
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const [x, y] = [i % width, Math.floor(i / width)];
    visit(x - 1, y);
    visit(x + 1, y);
    visit(x, y - 1);
    visit(x, y + 1);
  }
  return ground;
}

/** Some neighbour of pixel `i` is ground. */
function touchesGround(ground: Uint8Array, i: number, width: number): boolean {
  return (
    ground[i - 1] === 1 || ground[i + 1] === 1 || ground[i - width] === 1 || ground[i + width] === 1
  );
}

/** The smallest of the three channels of pixel `i`. */
function darkest(data: Uint8Array, i: number): number {
  return Math.min(data[3 * i] ?? 0, data[3 * i + 1] ?? 0, data[3 * i + 2] ?? 0);
}

/** Area average of four channels from [height, width] to [side, side], the picture's ratio kept. */
function shrink(
  source: Float32Array | Uint8Array,
  width: number,
  height: number,
  side: number,
): Uint8Array {
  const scale = Math.max(width, height) / side;
  const offsetX = (width - side * scale) / 2;
  const offsetY = (height - side * scale) / 2;
  const out = new Uint8Array(side * side * 4);
  const sums = new Float64Array(4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      sums.fill(0);
      sumArea(source, width, height, offsetX + x * scale, offsetY + y * scale, scale, sums);
      for (let c = 0; c < 4; c++) {
        out[4 * (y * side + x) + c] = Math.round((sums[c] ?? 0) / (scale * scale));
      }
    }
  }
  return out;
}

/** Adds the four channels of the square at (left, top), border pixels by the part inside. */
function sumArea(
  source: Float32Array | Uint8Array,
  width: number,
  height: number,
  left: number,
  top: number,
  side: number,
  sums: Float64Array,
): void {
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, top + side); y++) {
    const rows = Math.min(y + 1, top + side) - Math.max(y, top);
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, left + side); x++) {
      const weight = rows * (Math.min(x + 1, left + side) - Math.max(x, left));
      const from = 4 * (y * width + x);
      for (let c = 0; c < 4; c++) sums[c] = (sums[c] ?? 0) + weight * (source[from + c] ?? 0);
    }
  }
}
