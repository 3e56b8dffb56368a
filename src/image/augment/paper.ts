// Finds and recolours the white paper around a drawing: white that is joined to the border.
// White inside the drawing is not paper.

import type { RgbImage } from '../pixels.ts';

/** What a pixel is: part of the drawing, paper, or drawing that touches paper. */
export const DRAWING = 0;
export const PAPER = 1;
export const FRINGE = 2;

/** Pixels with all channels at least this bright count as white. */
const WHITE = 250;

/** [height · width] of DRAWING, PAPER and FRINGE. All DRAWING where the border is not white. */
export function findPaper(image: RgbImage): Uint8Array {
  const { width, height, data } = image;
  const kinds = new Uint8Array(width * height);
  const stack = new Int32Array(width * height);
  let size = 0;
  const visit = (at: number): void => {
    if (kinds[at] === PAPER) return;
    const i = 3 * at;
    const isWhite =
      (data[i] as number) >= WHITE &&
      (data[i + 1] as number) >= WHITE &&
      (data[i + 2] as number) >= WHITE;
    kinds[at] = isWhite ? PAPER : FRINGE;
    if (isWhite) stack[size++] = at;
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  if (size === 0) return kinds.fill(DRAWING);
  while (size > 0) {
    size -= 1;
    const at = stack[size] as number;
    const x = at % width;
    if (x > 0) visit(at - 1);
    if (x < width - 1) visit(at + 1);
    if (at >= width) visit(at - width);
    if (at < width * (height - 1)) visit(at + width);
  }
  return kinds;
}

/**
 * Paint the paper in place. Fringe pixels are part white through antialiasing: they are
 * multiplied by the colour, which is exact for their white part.
 */
export function paintPaper(
  data: Uint8Array,
  kinds: Uint8Array,
  colour: readonly [number, number, number],
): void {
  for (let at = 0; at < kinds.length; at++) {
    if (kinds[at] === DRAWING) continue;
    for (let c = 0; c < 3; c++) {
      const value = kinds[at] === PAPER ? 255 : (data[3 * at + c] as number);
      data[3 * at + c] = Math.round((value * (colour[c] as number)) / 255);
    }
  }
}
