// Pictures as squares with transparency: render an SVG, PNG, WebP or JPEG to RGBA, encode RGBA as PNG.
// Knows nothing of captions or packages.
import sharp from 'sharp';
import { OneVisionError } from '../../core/errors.ts';
import { encodePng } from '../../image/png.ts';

sharp.concurrency(1);
sharp.cache(false);

/** Of compression: these files are kept. */
const LEVEL = 6;

/** RGBA pixels, `data` is `[height, width, 4]`, row by row, not premultiplied. */
export interface Sprite {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface RenderOptions {
  /** CSS colour under the picture; without it what is transparent stays transparent. */
  readonly background?: string;
}

/**
 * Draw an encoded picture into a square, keeping its proportions and centring it. An SVG is drawn
 * at the wanted size, not scaled afterwards.
 *
 * @param bytes SVG, PNG, WebP, JPEG, … as it lies in a file or a shard.
 * @param size side of the square in pixels.
 * @returns RGBA pixels `[size, size, 4]`.
 * @throws OneVisionError 'data' when the bytes are not a picture.
 */
export async function renderSprite(
  bytes: Uint8Array,
  size: number,
  options: RenderOptions = {},
): Promise<Sprite> {
  try {
    const input = { density: 72, unlimited: true, limitInputPixels: false };
    let pipeline = sharp(bytes, input).resize(size, size, {
      fit: 'contain',
      background: { r: 255, g: 255, b: 255, alpha: 0 },
    });
    if (options.background !== undefined) {
      pipeline = pipeline.flatten({ background: options.background });
    }
    const data = await pipeline.toColourspace('srgb').ensureAlpha().raw().toBuffer();
    return { width: size, height: size, data };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new OneVisionError('data', `Expected a picture; it does not decode: ${reason}.`, {
      cause: error,
    });
  }
}

/** RGBA as PNG; fully opaque pixels are stored as RGB. The same pixels give the same bytes. */
export function encodeSprite(sprite: Sprite): Uint8Array {
  if (!isOpaque(sprite)) return encodePng(sprite, LEVEL);
  const { width, height, data } = sprite;
  const opaque = new Uint8Array(width * height * 3);
  for (let to = 0, from = 0; to < opaque.length; from++) {
    if (from % 4 !== 3) opaque[to++] = data[from] as number;
  }
  return encodePng({ width, height, data: opaque }, LEVEL);
}

function isOpaque({ data }: Sprite): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}
