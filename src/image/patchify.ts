// From pixels to the rows the vision tower reads: normalised patches in merge-block order.
// Shapes: pixels [patches, 3 · patchSize²]; patches = gridH · gridW.

import { OneVisionError } from '../core/errors.ts';
import type { ProcessorConfig } from './config.ts';
import { type DecodeOptions, decodeImage } from './decode.ts';
import type { RgbImage } from './pixels.ts';
import { resizeImage } from './resize.ts';
import { smartResize } from './smart-resize.ts';

export interface Patches {
  /** [frames · gridH · gridW, 3 · patchSize²]. */
  readonly pixels: Float32Array;
  /** Frames of a video, one after another; default 1, an image. */
  readonly frames?: number;
  readonly gridH: number;
  readonly gridW: number;
}

/**
 * Cut a picture into patches. Rows are in merge-block order: (y div m, x div m, y mod m, x mod m)
 * for merge size m, so that m² rows in a row make one image token. Columns run channel, pixel
 * row, pixel column. Values are (v / 255 − mean) / std per channel.
 * Source: Qwen2-VL's image processor with temporal_patch_size 1.
 * @throws OneVisionError 'data' unless both sides are multiples of patchSize · mergeSize
 * (`processRgb` resizes first).
 */
export function patchify(image: RgbImage, cfg: ProcessorConfig): Patches {
  const factor = cfg.patchSize * cfg.mergeSize;
  if (image.width % factor !== 0 || image.height % factor !== 0) {
    throw new OneVisionError(
      'data',
      `expected an image with sides that are multiples of ${factor}, ` +
        `came ${image.width} × ${image.height} (width × height)`,
      { hint: 'resize it to smartResize(height, width) first, or call processRgb' },
    );
  }
  const gridH = image.height / cfg.patchSize;
  const gridW = image.width / cfg.patchSize;
  const pixels = new Float32Array(image.width * image.height * 3);
  const tables = normaliseTables(cfg);
  const m = cfg.mergeSize;
  const rowLength = 3 * cfg.patchSize * cfg.patchSize;
  let offset = 0;
  for (let blockY = 0; blockY < gridH; blockY += m) {
    for (let blockX = 0; blockX < gridW; blockX += m) {
      for (let inner = 0; inner < m * m; inner++) {
        const y = blockY + Math.floor(inner / m);
        const x = blockX + (inner % m);
        copyPatch(image, cfg.patchSize, y, x, tables, pixels, offset);
        offset += rowLength;
      }
    }
  }
  return { pixels, gridH, gridW };
}

/** Resize decoded pixels by `smartResize` and cut them into patches. */
export async function processRgb(image: RgbImage, cfg: ProcessorConfig): Promise<Patches> {
  const { width, height } = smartResize(image.height, image.width, cfg);
  return patchify(await resizeImage(image, width, height), cfg);
}

/**
 * From the bytes of a picture file to patches: decode, resize, normalise, cut.
 * @throws OneVisionError 'data' as `decodeImage` and `smartResize`.
 */
export async function processImage(
  bytes: Uint8Array,
  cfg: ProcessorConfig,
  options: DecodeOptions = {},
): Promise<Patches> {
  return processRgb(await decodeImage(bytes, options), cfg);
}

/** For each channel, the value of each byte: (v / 255 − mean) / std. */
type NormaliseTables = readonly [Float32Array, Float32Array, Float32Array];

const TABLES = new WeakMap<ProcessorConfig, NormaliseTables>();

function normaliseTables(cfg: ProcessorConfig): NormaliseTables {
  const { mean, std } = cfg;
  const table = (channel: 0 | 1 | 2): Float32Array =>
    Float32Array.from({ length: 256 }, (_, v) => (v / 255 - mean[channel]) / std[channel]);
  const tables = TABLES.get(cfg) ?? ([table(0), table(1), table(2)] as const);
  TABLES.set(cfg, tables);
  return tables;
}

/** One patch, all channels in one pass over its pixels. */
function copyPatch(
  { data, width }: RgbImage,
  side: number,
  y: number,
  x: number,
  [red, green, blue]: NormaliseTables,
  out: Float32Array,
  offset: number,
): void {
  const plane = side * side;
  let to = offset;
  for (let row = 0; row < side; row++) {
    let from = 3 * ((y * side + row) * width + x * side);
    for (const end = to + side; to < end; to++) {
      out[to] = red[data[from] as number] as number;
      out[to + plane] = green[data[from + 1] as number] as number;
      out[to + 2 * plane] = blue[data[from + 2] as number] as number;
      from += 3;
    }
  }
}
