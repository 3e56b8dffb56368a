// Fingerprints that stay close when a picture is scaled or recompressed: dHash and colour means.
// Not a content hash (sha256Hex) and not a decision: thresholds belong to the caller.

import { luma, type RgbImage } from './pixels.ts';
import { resizeLanczos } from './resize.ts';

/** What two near-identical pictures share. */
export interface PerceptualHash {
  /** dHash-256: [8] words of 32 bits; row by row, bit = this pixel is darker than the next. */
  readonly bits: Uint32Array;
  /** Mean red, green and blue of 8 × 8 cells: [8, 8, 3]. */
  readonly means: Uint8Array;
}

const SIDE = 16;
const CELLS = 8;

/**
 * The fingerprint of a picture. A blank or horizontally even picture has all bits zero, so compare
 * the means too: duplicates are, say, `hammingDistance` ≤ 10 and `meanDistance` ≤ 24.
 * Source: Krawetz's difference hash, 17 × 16 grey pixels, Lanczos.
 */
export async function perceptualHash(image: RgbImage): Promise<PerceptualHash> {
  const small = await resizeLanczos(image, SIDE + 1, SIDE);
  const bits = new Uint32Array((SIDE * SIDE) / 32);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const at = y * (SIDE + 1) + x;
      if (luma(small.data, at) >= luma(small.data, at + 1)) continue;
      const bit = y * SIDE + x;
      bits[bit >> 5] = (bits[bit >> 5] as number) | (1 << (bit & 31));
    }
  }
  return { bits, means: cellMeans(image) };
}

/** How many of the 256 bits differ. */
export function hammingDistance(a: PerceptualHash, b: PerceptualHash): number {
  let distance = 0;
  for (let i = 0; i < a.bits.length; i++) {
    let x = ((a.bits[i] as number) ^ (b.bits[i] as number)) >>> 0;
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    distance += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return distance;
}

/** Mean absolute difference of the colour means, 0–255. */
export function meanDistance(a: PerceptualHash, b: PerceptualHash): number {
  let sum = 0;
  for (let i = 0; i < a.means.length; i++) {
    sum += Math.abs((a.means[i] as number) - (b.means[i] as number));
  }
  return sum / a.means.length;
}

/** Largest difference of one channel over the picture; a blank picture has 8 or less. */
export function colourRange(image: RgbImage): number {
  const low = [255, 255, 255];
  const high = [0, 0, 0];
  for (let i = 0; i < image.data.length; i++) {
    const value = image.data[i] as number;
    const channel = i % 3;
    if (value < (low[channel] as number)) low[channel] = value;
    if (value > (high[channel] as number)) high[channel] = value;
  }
  return Math.max(...high.map((value, channel) => value - (low[channel] as number)));
}

/** The hash as text, for files: 64 hexadecimal digits of bits, then 384 of means. */
export function perceptualHashToHex(hash: PerceptualHash): string {
  const words = Array.from(hash.bits, (word) => word.toString(16).padStart(8, '0'));
  return words.join('') + Buffer.from(hash.means).toString('hex');
}

/** The inverse of `perceptualHashToHex`. */
export function perceptualHashFromHex(hex: string): PerceptualHash {
  const bits = Uint32Array.from({ length: 8 }, (_, i) =>
    Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16),
  );
  return { bits, means: Uint8Array.from(Buffer.from(hex.slice(64), 'hex')) };
}

/** Means over cells; a cell of a picture with fewer than 8 pixels a side repeats its pixel. */
function cellMeans(image: RgbImage): Uint8Array {
  const { width, height, data } = image;
  const out = new Uint8Array(CELLS * CELLS * 3);
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const [top, bottom] = span(Math.floor(cell / CELLS), height);
    const [left, right] = span(cell % CELLS, width);
    const sums = [0, 0, 0];
    for (let y = top; y < bottom; y++) {
      for (let i = 3 * (y * width + left); i < 3 * (y * width + right); i += 3) {
        for (let c = 0; c < 3; c++) sums[c] = (sums[c] as number) + (data[i + c] as number);
      }
    }
    const count = (bottom - top) * (right - left);
    for (let c = 0; c < 3; c++) out[3 * cell + c] = Math.round((sums[c] as number) / count);
  }
  return out;
}

function span(cell: number, length: number): readonly [number, number] {
  const start = Math.min(length - 1, Math.floor((cell * length) / CELLS));
  return [start, Math.max(start + 1, Math.floor(((cell + 1) * length) / CELLS))];
}
