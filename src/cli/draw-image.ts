// Draws a small picture in a terminal with half blocks: two pixels a character, 24-bit colour.
import type { RgbImage } from '../image/pixels.ts';

const UPPER_HALF = '▀';
const RESET = '\u001b[0m';

/**
 * Lines of text that show `image`, at most `columns` wide (a column is one pixel, a line two).
 * Pixels are averaged over boxes, so any size can be given.
 */
export function drawImage(image: RgbImage, columns = 42): string[] {
  const width = Math.min(columns, image.width);
  const height = Math.max(2, 2 * Math.round((image.height * width) / image.width / 2));
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = '';
    for (let x = 0; x < width; x += 1) {
      const top = meanColour(image, x, y, width, height).join(';');
      const bottom = meanColour(image, x, y + 1, width, height).join(';');
      line += `\u001b[38;2;${top}m\u001b[48;2;${bottom}m${UPPER_HALF}`;
    }
    lines.push(line + RESET);
  }
  return lines;
}

/** Whether the stream can show such lines: a terminal that does not ask for plain output. */
export function canDraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env['NO_COLOR'] === undefined;
}

/** Mean [r, g, b] of the box of source pixels behind cell (x, y) of a width × height raster. */
function meanColour(
  image: RgbImage,
  x: number,
  y: number,
  width: number,
  height: number,
): readonly number[] {
  const left = Math.floor((x * image.width) / width);
  const right = Math.max(left + 1, Math.floor(((x + 1) * image.width) / width));
  const top = Math.floor((y * image.height) / height);
  const bottom = Math.max(top + 1, Math.floor(((y + 1) * image.height) / height));
  const sum = [0, 0, 0];
  for (let row = top; row < bottom; row += 1) {
    for (let column = left; column < right; column += 1) {
      const at = (row * image.width + column) * 3;
      for (let c = 0; c < 3; c += 1) sum[c] = (sum[c] ?? 0) + (image.data[at + c] ?? 0);
    }
  }
  const count = (right - left) * (bottom - top);
  return sum.map((value) => Math.round(value / count));
}
