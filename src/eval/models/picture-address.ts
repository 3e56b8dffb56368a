// A picture of a benchmark as an endpoint takes it: the bytes as they are where the format is common,
// else as a PNG, so that nothing is lost.
import sharp from 'sharp';
import { decodeImage, readImageSize } from '../../image/decode.ts';
import { imageKind } from '../../sample/sources/rows/image-file.ts';

const COMMON: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
};

/** @throws OneVisionError 'data' when the bytes are no picture */
export async function pictureAddress(bytes: Uint8Array): Promise<string> {
  await readImageSize(bytes);
  const type = COMMON[imageKind(bytes) ?? ''];
  if (type !== undefined) return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  const { data, width, height } = await decodeImage(bytes);
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
