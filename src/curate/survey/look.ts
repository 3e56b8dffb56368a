// What the pixels of a picture say by themselves: size, tones, colours, detail, fingerprint.
// Measures only; what is good enough the filters decide.
import { colourRange, type PerceptualHash, perceptualHash } from '../../image/perceptual-hash.ts';
import { luma, type RgbImage } from '../../image/pixels.ts';

/** Measures of one picture. */
export interface Look {
  readonly width: number;
  readonly height: number;
  /** Largest difference of any colour channel within the image, 0–255. */
  readonly spread: number;
  /** Share of pixels with a brightness below 16 of 255. */
  readonly dark: number;
  /** Bits of the brightness histogram of 64 classes, 0–6. */
  readonly entropy: number;
  /** Hasler and Süsstrunk's M3: 0 for grey, about 100 for very colourful. */
  readonly colourfulness: number;
  /** Share of pixels on an edge. */
  readonly edges: number;
  /** How strongly the fine structure repeats at one distance, 0–1; null unless asked for. */
  readonly tiling: number | null;
  /** Null unless asked for. */
  readonly hash: PerceptualHash | null;
}

/** What costs time and is not always wanted. */
export interface LookOptions {
  readonly hash: boolean;
  readonly tiling: boolean;
}

const SIDE = 64;
const DARK = 16;
const CLASSES = 64;
const EDGE = 24;
/** Distances of a repeated stamp, in pixels of the 64 × 64 grid. */
const MIN_SHIFT = 8;
const MAX_SHIFT = 32;

/** Measure a picture; all but size, spread and hash on a grid of 64 × 64 of its pixels. */
export async function lookAt(image: RgbImage, options: LookOptions): Promise<Look> {
  const grid = sampleGrid(image);
  const grey = new Float64Array(SIDE * SIDE);
  let numDark = 0;
  for (let i = 0; i < grey.length; i++) {
    const brightness = luma(grid, i);
    grey[i] = brightness;
    if (brightness < DARK) numDark += 1;
  }
  return {
    width: image.width,
    height: image.height,
    spread: colourRange(image),
    dark: numDark / grey.length,
    entropy: entropyOf(grey),
    colourfulness: colourfulnessOf(grid),
    edges: edgesOf(grey),
    tiling: options.tiling ? tilingOf(grey) : null,
    hash: options.hash ? await perceptualHash(image) : null,
  };
}

/** [64, 64, 3]: the pixels at the middles of the cells of a grid. */
function sampleGrid({ width, height, data }: RgbImage): Uint8Array {
  const out = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    const row = Math.floor(((y + 0.5) * height) / SIDE) * width;
    for (let x = 0; x < SIDE; x++) {
      const from = 3 * (row + Math.floor(((x + 0.5) * width) / SIDE));
      const to = 3 * (y * SIDE + x);
      out[to] = data[from] as number;
      out[to + 1] = data[from + 1] as number;
      out[to + 2] = data[from + 2] as number;
    }
  }
  return out;
}

function entropyOf(grey: Float64Array): number {
  const counts = new Uint32Array(CLASSES);
  for (const value of grey) {
    const at = Math.min(CLASSES - 1, Math.floor((value * CLASSES) / 256));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  let bits = 0;
  for (const count of counts) {
    const share = count / grey.length;
    if (share > 0) bits -= share * Math.log2(share);
  }
  return bits;
}

/** σ_rgyb + 0.3 μ_rgyb over rg = R − G and yb = (R + G)/2 − B. */
function colourfulnessOf(grid: Uint8Array): number {
  const n = grid.length / 3;
  let [rg, rg2, yb, yb2] = [0, 0, 0, 0];
  for (let i = 0; i < grid.length; i += 3) {
    const red = grid[i] ?? 0;
    const green = grid[i + 1] ?? 0;
    const a = red - green;
    const b = (red + green) / 2 - (grid[i + 2] ?? 0);
    rg += a / n;
    rg2 += (a * a) / n;
    yb += b / n;
    yb2 += (b * b) / n;
  }
  const deviation = Math.sqrt(Math.max(0, rg2 - rg * rg + (yb2 - yb * yb)));
  return deviation + 0.3 * Math.hypot(rg, yb);
}

function edgesOf(grey: Float64Array): number {
  let count = 0;
  for (let y = 0; y + 1 < SIDE; y++) {
    for (let x = 0; x + 1 < SIDE; x++) {
      const here = grey[y * SIDE + x] ?? 0;
      const across = Math.abs((grey[y * SIDE + x + 1] ?? 0) - here);
      const down = Math.abs((grey[(y + 1) * SIDE + x] ?? 0) - here);
      if (Math.max(across, down) > EDGE) count += 1;
    }
  }
  return count / (SIDE - 1) ** 2;
}

/** Highest normalised autocorrelation of the fine structure (grey less its 3 × 3 mean). */
function tilingOf(grey: Float64Array): number {
  const fine = fineStructure(grey);
  let best = 0;
  for (let dy = 0; dy <= MAX_SHIFT; dy++) {
    for (let dx = -MAX_SHIFT; dx <= MAX_SHIFT; dx++) {
      if (Math.max(dy, Math.abs(dx)) < MIN_SHIFT || (dy === 0 && dx < 0)) continue;
      best = Math.max(best, correlation(fine, dx, dy));
    }
  }
  return Math.min(1, best);
}

function fineStructure(grey: Float64Array): Float64Array {
  return grey.map((value, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    let sum = 0;
    let count = 0;
    for (let v = Math.max(0, y - 1); v <= Math.min(SIDE - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(SIDE - 1, x + 1); u++) {
        sum += grey[v * SIDE + u] ?? 0;
        count += 1;
      }
    }
    return value - sum / count;
  });
}

function correlation(fine: Float64Array, dx: number, dy: number): number {
  let both = 0;
  let here = 0;
  let there = 0;
  const [left, right] = [Math.max(0, -dx), Math.min(SIDE, SIDE - dx)];
  for (let y = 0; y + dy < SIDE; y++) {
    for (let x = left; x < right; x++) {
      const a = fine[y * SIDE + x] ?? 0;
      const b = fine[(y + dy) * SIDE + x + dx] ?? 0;
      both += a * b;
      here += a * a;
      there += b * b;
    }
  }
  return here === 0 || there === 0 ? 0 : both / Math.sqrt(here * there);
}
