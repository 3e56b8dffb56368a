// From the bytes of a picture file to upright 8-bit RGB, or to its size alone.
// Not the place for resizing (resize.ts) or normalising (patchify.ts).

import sharp, { type Sharp } from 'sharp';
import { OneVisionError } from '../core/errors.ts';
import { parseImageSize } from './header.ts';
import type { RgbImage } from './pixels.ts';
import { decodePlainPng } from './png.ts';
import type { ImageSize } from './smart-resize.ts';

export interface DecodeOptions {
  /** Refuse pictures with more pixels (height × width) than this; default 100 million. */
  readonly maxPixels?: number;
}

export const DEFAULT_MAX_PIXELS = 100_000_000;

/**
 * Decode PNG, JPEG, WebP, GIF (first frame), TIFF, AVIF or SVG (72 dpi). EXIF orientation is
 * applied, transparency is laid on white, grey becomes three equal channels, 16 bits become 8,
 * and colours with a profile (CMYK too) become sRGB.
 * @throws OneVisionError 'data' when the bytes are no picture, are damaged, or decode to more
 * than `maxPixels`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  const plain = decodePlainPng(bytes, maxPixels);
  if (plain !== undefined) return plain;
  try {
    const upright = openImage(bytes, maxPixels).autoOrient();
    const { data, info } = await upright
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: toRgb(data, info.channels) };
  } catch (error) {
    throw imageError(error, bytes, maxPixels);
  }
}

/**
 * Height and width as `decodeImage` would give them, from the header alone: by our own parser for
 * plain files, else by libvips.
 * @throws OneVisionError 'data' when the bytes are no picture.
 */
export async function readImageSize(bytes: Uint8Array): Promise<ImageSize> {
  const size = parseImageSize(bytes);
  if (size !== undefined) return size;
  try {
    const { autoOrient } = await openImage(bytes, false).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch (error) {
    throw imageError(error, bytes, DEFAULT_MAX_PIXELS);
  }
}

function openImage(bytes: Uint8Array, maxPixels: number | false): Sharp {
  return sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' });
}

/** A plain array, no Buffer: `slice` of a Buffer would share its memory. */
export function plainBytes(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** One channel is repeated; of more than three (never seen after flatten) the first three stay. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return plainBytes(data);
  const pixels = data.length / channels;
  const out = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++)
      out[3 * i + c] = data[channels * i + Math.min(c, channels - 1)] ?? 0;
  }
  return out;
}

function imageError(error: unknown, bytes: Uint8Array, maxPixels: number): OneVisionError {
  const what = error instanceof Error ? error.message : String(error);
  if (/exceeds pixel limit/i.test(what)) {
    return new OneVisionError('data', `expected an image of at most ${maxPixels} pixels: ${what}`, {
      cause: error,
      hint: 'shrink the image, or raise maxPixels if you trust where it comes from',
    });
  }
  return new OneVisionError(
    'data',
    `expected the bytes of an image, came ${bytes.length} bytes that do not decode: ${what}`,
    { cause: error, hint: 'the file is damaged or of another kind; fetch it again or drop it' },
  );
}
