// Pictures of every awkward and broken kind, by a seeded stream. Used by the fuzz test of sources.
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Random } from '../../src/core/hash.ts';

export type Maker = (random: Random) => Promise<Buffer> | Buffer;

function noise(random: Random, width: number, height: number, channels: 1 | 2 | 3 | 4): Sharp {
  const data = Buffer.alloc(width * height * channels);
  for (let i = 0; i < data.length; i++) data[i] = random.int(256);
  return sharp(data, { raw: { width, height, channels } });
}

function side(random: Random): number {
  return 1 + random.int(60);
}

/** Pictures that decode, however odd. */
export const SOUND: Readonly<Record<string, Maker>> = {
  jpeg: (r) => noise(r, side(r), side(r), 3).jpeg().toBuffer(),
  progressive: (r) => noise(r, side(r), side(r), 3).jpeg({ progressive: true }).toBuffer(),
  cmyk: (r) => noise(r, side(r), side(r), 3).toColourspace('cmyk').jpeg().toBuffer(),
  grey: (r) => noise(r, side(r), side(r), 1).toColourspace('b-w').png().toBuffer(),
  greyAlpha: (r) => noise(r, side(r), side(r), 2).png().toBuffer(),
  sixteenBit: (r) => noise(r, side(r), side(r), 3).toColourspace('rgb16').png().toBuffer(),
  sixteenBitTiff: (r) => noise(r, side(r), side(r), 3).toColourspace('rgb16').tiff().toBuffer(),
  palette: (r) => noise(r, side(r), side(r), 3).png({ palette: true }).toBuffer(),
  transparent: (r) => noise(r, side(r), side(r), 4).webp().toBuffer(),
  animatedGif: (r) => animated(r).gif().toBuffer(),
  animatedWebp: (r) => animated(r).webp().toBuffer(),
  tall: () => flat(1, 20_000).png().toBuffer(),
  wide: () => flat(20_000, 1).jpeg().toBuffer(),
  turned: (r) =>
    noise(r, side(r), side(r), 3)
      .jpeg()
      .withMetadata({ orientation: 1 + r.int(8) })
      .toBuffer(),
};

function animated(random: Random): Sharp {
  const [size, pages] = [8 + random.int(20), 2 + random.int(4)];
  const data = Buffer.alloc(size * size * pages * 3);
  for (let i = 0; i < data.length; i++) data[i] = random.int(256);
  return sharp(data, {
    raw: { width: size, height: size * pages, channels: 3, pageHeight: size },
  });
}

function flat(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: '#a03' } });
}

/** Bytes that are no usable picture. */
export const BROKEN: Readonly<Record<string, Maker>> = {
  empty: () => Buffer.alloc(0),
  text: () => Buffer.from('<!doctype html><title>404</title>'),
  svg: () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
  bmp: (r) => Buffer.concat([Buffer.from('BM'), bytes(r, 60)]),
  garbage: (r) => bytes(r, 1 + r.int(4000)),
  headerOnly: (r) => Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), bytes(r, r.int(64))]),
  jpegHeaderOnly: (r) => Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), bytes(r, r.int(64))]),
  bombDeclared: (r) => png(50_000 + r.int(15_000), 50_000, deflateSync(Buffer.alloc(64))),
  bombReal: () => png(12_000, 12_000, deflateSync(Buffer.alloc(12_000 * 1501), { level: 9 })),
  zeroSize: () => png(0, 0, deflateSync(Buffer.alloc(1))),
  hugeSide: () => png(0x7fffffff, 1, deflateSync(Buffer.alloc(8))),
  cutJpeg: async (r) => cut(r, await SOUND['jpeg']?.(r), 0.8),
  cutPng: async (r) => cut(r, await SOUND['palette']?.(r), 0.8),
  cutWebp: async (r) => cut(r, await SOUND['transparent']?.(r), 0.6),
};

/** Whatever comes of it: a bit flipped somewhere, bytes put in, the end cut. Must not crash. */
export const MUTATED: Maker = async (random) => {
  const kinds = Object.keys(SOUND);
  const sound = await SOUND[random.pick(kinds)]?.(random);
  const out = Buffer.from(sound ?? Buffer.alloc(0));
  for (let i = 0; i < 1 + random.int(8); i++) {
    const at = random.int(out.length);
    out[at] = (out[at] ?? 0) ^ (1 << random.int(8));
  }
  return random.int(3) === 0 ? out.subarray(0, random.int(out.length)) : out;
};

export function bytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.int(256)));
}

function cut(random: Random, whole: Buffer | undefined, share: number): Buffer {
  const all = whole ?? Buffer.alloc(0);
  return all.subarray(0, Math.max(12, Math.floor(all.length * share * random.next())));
}

const crcTable = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** A one-bit grey PNG of any declared size. */
function png(width: number, height: number, data: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const chunk = (kind: string, body: Buffer): Buffer => {
    const typed = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
    let crc = 0xffffffff;
    for (const byte of typed) crc = (crcTable[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
    const out = Buffer.alloc(typed.length + 8);
    out.writeUInt32BE(body.length, 0);
    typed.copy(out, 4);
    out.writeUInt32BE(~crc >>> 0, typed.length + 4);
    return out;
  };
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
