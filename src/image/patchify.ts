// From pixels to the rows the vision tower reads: normalised patches in merge-block order.
// Shapes: pixels [patches, 3 · patchSize²]; patches = gridH · gridW.

import { OneVisionError } from '../core/errors.ts';
import type { ProcessorConfig } from './config.ts';
import { type DecodeOptions, decodeImage, type RgbImage } from './decode.ts';
import { resizeImage } from './resize.ts';
import { smartResize } from './smart-resize.ts';

export interface Patches {
  /** [gridH · gridW, 3 · patchSize²]. */
  readonly pixels: Float32Array;
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
  const tables = [0, 1, 2].map((channel) => normaliseTable(cfg, channel));
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

function normaliseTable(cfg: ProcessorConfig, channel: number): Float32Array {
  const mean = cfg.mean[channel] ?? 0;
  const std = cfg.std[channel] ?? 1;
  return Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / std);
}

function copyPatch(
  image: RgbImage,
  side: number,
  y: number,
  x: number,
  tables: readonly Float32Array[],
  out: Float32Array,
  offset: number,
): void {
  const { data, width } = image;
  let to = offset;
  for (let channel = 0; channel < 3; channel++) {
    const table = tables[channel] as Float32Array;
    for (let row = 0; row < side; row++) {
      let from = 3 * ((y * side + row) * width + x * side) + channel;
      for (let column = 0; column < side; column++) {
        out[to] = table[data[from] as number] as number;
        to += 1;
        from += 3;
      }
    }
  }
}
