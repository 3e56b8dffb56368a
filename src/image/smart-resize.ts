// From the height and width of a picture to its size, patches and image tokens.
// The one place in the system that counts: packer, loader, trainer and server all call it.

import { OneVisionError } from '../core/errors.ts';
import type { ProcessorConfig } from './config.ts';

const MAX_RATIO = 200;

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

export interface ImageTokens {
  /** Patches from top to bottom. */
  readonly gridH: number;
  /** Patches from left to right. */
  readonly gridW: number;
  /** gridH × gridW: rows of `pixels`. */
  readonly patches: number;
  /** patches ÷ mergeSize²: how often `<|image_pad|>` stands in the text. */
  readonly tokens: number;
}

/**
 * The size a picture is resized to: both sides multiples of patchSize × mergeSize, the area
 * between minPixels and maxPixels, the aspect kept as well as that allows.
 * Rule and rounding (halves to even) of Qwen2-VL's image processor.
 * @throws OneVisionError 'data' for an empty picture or one side more than 200 times the other.
 */
export function smartResize(height: number, width: number, cfg: ProcessorConfig): ImageSize {
  checkSize(height, width);
  const factor = cfg.patchSize * cfg.mergeSize;
  const h = factor * roundHalfEven(height / factor);
  const w = factor * roundHalfEven(width / factor);
  if (h * w > cfg.maxPixels) {
    const beta = Math.sqrt((height * width) / cfg.maxPixels);
    return {
      height: Math.max(factor, factor * Math.floor(height / beta / factor)),
      width: Math.max(factor, factor * Math.floor(width / beta / factor)),
    };
  }
  if (h * w < cfg.minPixels) {
    const beta = Math.sqrt(cfg.minPixels / (height * width));
    return {
      height: factor * Math.ceil((height * beta) / factor),
      width: factor * Math.ceil((width * beta) / factor),
    };
  }
  return { height: h, width: w };
}

/**
 * How many patches and image tokens a picture of this height and width (pixels, upright) takes.
 * Needs no pixels: a file header is enough (`readImageSize`).
 * @throws OneVisionError 'data' as `smartResize`.
 */
export function countImageTokens(height: number, width: number, cfg: ProcessorConfig): ImageTokens {
  const size = smartResize(height, width, cfg);
  const gridH = size.height / cfg.patchSize;
  const gridW = size.width / cfg.patchSize;
  const patches = gridH * gridW;
  return { gridH, gridW, patches, tokens: patches / (cfg.mergeSize * cfg.mergeSize) };
}

/** Round to the nearest integer, halves to the even one, as Python and IEEE 754 do. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function checkSize(height: number, width: number): void {
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new OneVisionError(
      'data',
      `expected an image of at least 1 × 1 pixels, came height ${height}, width ${width}`,
      { hint: 'remove the image, or write it again from its original' },
    );
  }
  const ratio = Math.max(height, width) / Math.min(height, width);
  if (ratio > MAX_RATIO) {
    throw new OneVisionError(
      'data',
      `expected an image whose sides differ at most ${MAX_RATIO}-fold, ` +
        `came ${height} × ${width} (height × width, ratio ${ratio.toFixed(0)})`,
      { hint: 'crop the image, or filter by aspect ratio during curation' },
    );
  }
}
