// Resizing of decoded pixels. Not the rule for the target size (smart-resize.ts).

import sharp from 'sharp';
import { plainBytes, type RgbImage } from './decode.ts';

/**
 * Resize to exactly width × height with a bicubic kernel (antialiased when shrinking): what the
 * model sees. The same size returns the image itself.
 */
export function resizeImage(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  return resize(image, width, height, 'cubic');
}

/** Resize to exactly width × height with a Lanczos kernel: for fingerprints. */
export function resizeLanczos(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  return resize(image, width, height, 'lanczos3');
}

async function resize(
  image: RgbImage,
  width: number,
  height: number,
  kernel: 'cubic' | 'lanczos3',
): Promise<RgbImage> {
  if (image.width === width && image.height === height) return image;
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const data = await sharp(image.data, { raw, limitInputPixels: false })
    .resize(width, height, { kernel, fit: 'fill' })
    .raw()
    .toBuffer();
  return { width, height, data: plainBytes(data) };
}
