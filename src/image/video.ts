// A video as frames: which of them to see, and all of them as patches of one size. Not a decoder of
// video files: frames come as pictures, or as the pages of an animated GIF or WebP.

import sharp from 'sharp';
import { OneVisionError } from '../core/errors.ts';
import type { ProcessorConfig } from './config.ts';
import { decodeImage } from './decode.ts';
import { type Patches, patchify } from './patchify.ts';
import { resizeImage } from './resize.ts';
import { smartResize } from './smart-resize.ts';

/** Pixels of a frame after the resize, as the original's trainer bounds them. */
const MIN_FRAME_PIXELS = 128 * 28 * 28;
const MAX_FRAME_PIXELS = 768 * 28 * 28;
/** A frame of 8K video; larger ones are refused before they are decoded. */
const MAX_DECODED_PIXELS = 7680 * 4320;
/** Frames that lmms-eval shows to the released models. */
export const MAX_FRAMES = 32;

/** Indices of at most `most` frames, evenly spread, first and last among them. */
export function spreadFrames(numFrames: number, most: number = MAX_FRAMES): number[] {
  if (numFrames <= most) return Array.from({ length: numFrames }, (_, i) => i);
  const step = most > 1 ? (numFrames - 1) / (most - 1) : 0;
  return Array.from({ length: most }, (_, i) => Math.round(i * step));
}

/**
 * Frames as one block of patches, frame after frame; a token stands for mergeSize² patches of one
 * frame. All frames take the size that the first one asks for.
 * @param frames bytes of pictures.
 * @throws OneVisionError 'data' for no frame, or as `decodeImage` and `smartResize`.
 */
export async function processVideo(
  frames: readonly Uint8Array[],
  cfg: ProcessorConfig,
): Promise<Patches> {
  const images = await Promise.all(
    frames.map((bytes) => decodeImage(bytes, { maxPixels: MAX_DECODED_PIXELS })),
  );
  const first = images[0];
  if (first === undefined) {
    throw new OneVisionError('data', 'expected a video of at least one frame, came none', {
      hint: 'give the frames as pictures, or an animated GIF or WebP',
    });
  }
  const maxPixels = Math.min(cfg.maxPixels, MAX_FRAME_PIXELS);
  const minPixels = Math.min(maxPixels, Math.max(cfg.minPixels, MIN_FRAME_PIXELS));
  const size = smartResize(first.height, first.width, { ...cfg, minPixels, maxPixels });
  const resized = await Promise.all(
    images.map((image) => resizeImage(image, size.width, size.height)),
  );
  const parts = resized.map((image) => patchify(image, cfg));
  const length = parts[0]?.pixels.length ?? 0;
  const pixels = new Float32Array(length * parts.length);
  for (const [i, part] of parts.entries()) pixels.set(part.pixels, i * length);
  const { gridH, gridW } = parts[0] as Patches;
  return { pixels, frames: parts.length, gridH, gridW };
}

/**
 * The frames of an animated GIF or WebP as PNG files, at most `most` of them, evenly spread.
 * @throws OneVisionError 'data' when the bytes are no picture.
 */
export async function readFrames(bytes: Uint8Array, most: number = MAX_FRAMES): Promise<Buffer[]> {
  try {
    const { pages = 1 } = await sharp(bytes).metadata();
    const limitInputPixels = MAX_DECODED_PIXELS;
    const chosen = spreadFrames(pages, most);
    return await Promise.all(
      chosen.map((page) => sharp(bytes, { page, limitInputPixels }).png().toBuffer()),
    );
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new OneVisionError('data', `expected an animated GIF or WebP: ${what}`, {
      cause: error,
      hint: 'give a folder of pictures: ffmpeg -i film.mp4 -vf fps=2 frames/%04d.jpg makes one',
    });
  }
}
