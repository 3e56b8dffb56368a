// Plain PNG in this process: 8 bits, RGB or RGBA, without interlacing or colour management. A small picture
// costs a tenth of what it costs libvips to begin a pipeline. Every other PNG is decode.ts's to read.

import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { RgbImage } from './pixels.ts';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const HEADER_BYTES = 13;
/** Colour type in the header → bytes of a pixel. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };
const WHITE = 255;
/** Says nothing of the pixels. */
const IGNORED = 'pHYs';

/**
 * The same pixels give the same bytes.
 * @param data [height, width, 3 or 4], RGB or RGBA.
 * @param level of compression, 1 to 9. Default 1: fast to write and to read.
 */
export function encodePng({ width, height, data }: RgbImage, level = 1): Uint8Array {
  const channels = data.length / (width * height);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = channels === 3 ? 2 : 6;
  const stride = channels * width;
  // Every row begins with its filter: 0, none.
  const rows = Buffer.alloc(height * (1 + stride));
  for (let y = 0; y < height; y++) {
    rows.set(data.subarray(y * stride, (y + 1) * stride), y * (1 + stride) + 1);
  }
  const pixels = deflateSync(rows, { level });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/**
 * The pixels of a plain PNG of at most `maxPixels`, transparency laid on white; undefined for anything
 * else, a damaged one too, so that a general decoder can say what it is.
 */
export function decodePlainPng(bytes: Uint8Array, maxPixels: number): RgbImage | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = plainChunks(file);
  if (chunks === undefined) return undefined;
  const { header, pixels } = chunks;
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const [depth, colourType = 0, ...methods] = header.subarray(8);
  const channels = CHANNELS[colourType];
  if (depth !== 8 || channels === undefined || methods.some((method) => method !== 0))
    return undefined;
  if (width === 0 || height === 0 || width * height > maxPixels) return undefined;
  const length = height * (1 + channels * width);
  try {
    // One byte more, so that a stream that is too long is seen.
    const rows = inflateSync(pixels, { maxOutputLength: length + 1 });
    if (rows.length !== length) return undefined;
    const pixelBytes = unfilter(rows, height, channels);
    if (pixelBytes === undefined) return undefined;
    return { width, height, data: channels === 3 ? pixelBytes : onWhite(pixelBytes) };
  } catch {
    return undefined;
  }
}

/** Header and joined pixels of a file that holds little else, whose checksums are right. */
function plainChunks(file: Buffer): { header: Buffer; pixels: Buffer } | undefined {
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  let header: Buffer | undefined;
  const pixels: Buffer[] = [];
  for (let at = SIGNATURE.length; at + 12 <= file.length; ) {
    const end = at + 8 + file.readUInt32BE(at);
    if (end + 4 > file.length) return undefined;
    const type = file.toString('latin1', at + 4, at + 8);
    const data = file.subarray(at + 8, end);
    if (crc32(file.subarray(at + 4, end)) !== file.readUInt32BE(end)) return undefined;
    if (type === 'IEND') {
      return header === undefined ? undefined : { header, pixels: Buffer.concat(pixels) };
    }
    if (type === 'IDAT') pixels.push(data);
    else if (type === 'IHDR' && data.length === HEADER_BYTES) header = data;
    else if (type !== IGNORED) return undefined;
    at = end + 4;
  }
  return undefined;
}

/** Undoes the filter of each row: bytes are differences from left, above or both. Source: PNG, section 9. */
function unfilter(rows: Buffer, height: number, channels: number): Uint8Array | undefined {
  const stride = rows.length / height - 1;
  const out = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const from = y * (1 + stride);
    const filter = rows[from] ?? 0;
    const to = y * stride;
    if (filter > 4) return undefined;
    if (filter === 0) out.set(rows.subarray(from + 1, from + 1 + stride), to);
    else {
      for (let x = 0; x < stride; x++) {
        const left = x < channels ? 0 : (out[to + x - channels] as number);
        const above = y === 0 ? 0 : (out[to + x - stride] as number);
        const corner = x < channels || y === 0 ? 0 : (out[to + x - stride - channels] as number);
        out[to + x] = (rows[from + 1 + x] as number) + predicted(filter, left, above, corner);
      }
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** RGBA [pixels, 4] over white as RGB [pixels, 3], rounded down as libvips does. */
function onWhite(rgba: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; to < out.length; from += 4, to += 3) {
    const alpha = rgba[from + 3] as number;
    const white = WHITE * (WHITE - alpha);
    for (let c = 0; c < 3; c++) {
      const sum = (rgba[from + c] as number) * alpha + white;
      out[to + c] = (sum + 1 + (sum >> 8)) >> 8; // sum / 255
    }
  }
  return out;
}
