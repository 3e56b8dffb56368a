// A picture as it is sent to a captioner: upright, no larger than needed, without the metadata of the
// file (place, camera), as a JPEG in a `data:` address.
import sharp from 'sharp';
import { decodeImage } from '../../image/decode.ts';
import { resizeImage } from '../../image/resize.ts';

const QUALITY = 90;
const MAX_PIXELS = 50_000_000;

/** @throws OneVisionError 'data' when the bytes are no picture or one of too many pixels. */
export async function pictureAddress(bytes: Uint8Array, maxSide: number): Promise<string> {
  const image = await decodeImage(bytes, { maxPixels: MAX_PIXELS });
  const scale = Math.min(1, maxSide / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const { data } = await resizeImage(image, width, height);
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: QUALITY })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
