// A small WebP of a picture, for pages that show samples. Not what a model sees.
import sharp from 'sharp';

/** At most side × side pixels on white; undefined when the bytes do not decode. */
export async function encodeThumbnail(
  bytes: Uint8Array,
  side: number,
): Promise<Uint8Array | undefined> {
  try {
    return await sharp(bytes)
      .autoOrient()
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .webp({ quality: 70 })
      .toBuffer();
  } catch {
    return undefined;
  }
}
