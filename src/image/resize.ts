// Resizing of decoded pixels. Not the rule for the target size (smart-resize.ts).

import sharp from 'sharp';
import { resizeBicubic } from './bicubic/bicubic.ts';
import { plainBytes } from './decode.ts';
import type { RgbImage } from './pixels.ts';

/**
 * Resize to exactly width × height: what the model sees. Bicubic, antialiased when shrinking,
 * equal to Pillow's to the bit. The same size returns the image itself.
 */
export async function resizeImage(
  image: RgbImage,
  width: number,
  height: number,
): Promise<RgbImage> {
  return resizeBicubic(image, width, height);
}

/** Resize to exactly width × height with a Lanczos kernel: for fingerprints. */
export async function resizeLanczos(
  image: RgbImage,
  width: number,
  height: number,
): Promise<RgbImage> {
  if (image.width === width && image.height === height) return image;
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const data = await sharp(image.data, { raw, limitInputPixels: false })
    .resize(width, height, { kernel: 'lanczos3', fit: 'fill' })
    .raw()
    .toBuffer();
  return { width, height, data: plainBytes(data) };
}
