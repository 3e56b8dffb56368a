// White pictures of the same size, for asking what a model would say without seeing anything.
import sharp from 'sharp';
import { readImageSize } from '../image/decode.ts';
import type { SampleImage } from '../sample/sample.ts';

const bySize = new Map<string, Promise<SampleImage>>();
const MAX_SIZES = 256;

/**
 * One white picture for each given one, named by its size; pictures of a size are one object.
 * @throws OneVisionError `data` when a picture has no readable size
 */
export async function blankPictures(images: readonly SampleImage[]): Promise<SampleImage[]> {
  return Promise.all(images.map(blankPicture));
}

async function blankPicture({ bytes }: SampleImage): Promise<SampleImage> {
  const { width, height } = await readImageSize(bytes);
  const name = `blank-${width}x${height}.png`;
  const known = bySize.get(name);
  if (known !== undefined) return known;
  if (bySize.size >= MAX_SIZES) bySize.clear();
  const made = encodeWhite(name, width, height);
  bySize.set(name, made);
  return made;
}

async function encodeWhite(name: string, width: number, height: number): Promise<SampleImage> {
  const create = { width, height, channels: 3, background: '#fff' } as const;
  return { name, bytes: await sharp({ create }).png().toBuffer() };
}
