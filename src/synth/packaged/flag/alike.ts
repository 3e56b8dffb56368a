// Which flags look the same once they are drawn: asking whose they are would have several answers.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageFolder } from '../../../sample/corpus/packages.ts';

export const FLAG_PACKAGE = 'flag-icons';
/** The picture that is compared. */
const [WIDTH, HEIGHT] = [32, 24];
/** Mean difference of a channel, 0 to 255: Chad and Romania have 18.0. */
const ALIKE = 18.5;

/** The drawing of a flag by the code of its country. */
export async function readFlag(code: string): Promise<Buffer> {
  const folder = join(packageFolder(FLAG_PACKAGE), 'flags', '4x3');
  return await readFile(join(folder, `${code.toLowerCase()}.svg`));
}

/** The codes whose flag is like no other of them. */
export async function distinctFlags(codes: readonly string[]): Promise<string[]> {
  const pixels = await Promise.all(codes.map(async (code) => thumbnail(await readFlag(code))));
  return codes.filter((_, place) => {
    const own = pixels[place] ?? Buffer.alloc(0);
    return pixels.every((other, index) => index === place || difference(own, other) > ALIKE);
  });
}

async function thumbnail(svg: Buffer): Promise<Buffer> {
  return await sharp(svg)
    .resize(WIDTH, HEIGHT, { fit: 'fill' })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
}

function difference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0));
  return sum / a.length;
}
