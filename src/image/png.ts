// Plain PNG in this process: 8 bits, without interlacing or colour management. A small picture costs a
// tenth of what it costs libvips to begin a pipeline. Every other PNG is decode.ts's to read.

import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { RgbImage } from './pixels.ts';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const HEADER_BYTES = 13;
const CHANNELS = 3;
const RGB = 2;
const RGBA = 6;
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
  header[9] = channels === CHANNELS ? RGB : RGBA;
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
 * The pixels of a plain PNG of at most `maxPixels`; undefined for anything else, a damaged one too,
 * so that a general decoder can say what it is.
 */
export function decodePlainPng(bytes: Uint8Array, maxPixels: number): RgbImage | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = plainChunks(file);
  if (chunks === undefined) return undefined;
  const { header, pixels } = chunks;
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const isPlain = header.readUInt32BE(8) === 0x08020000 && header[12] === 0;
  if (!isPlain || width === 0 || height === 0 || width * height > maxPixels) return undefined;
  const stride = CHANNELS * width;
  const length = height * (1 + stride);
  try {
    // One byte more, so that a stream that is too long is seen.
    const rows = inflateSync(pixels, { maxOutputLength: length + 1 });
    if (rows.length !== length) return undefined;
    const data = unfilter(rows, height, stride);
    return data === undefined ? undefined : { width, height, data };
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
function unfilter(rows: Buffer, height: number, stride: number): Uint8Array | undefined {
  const out = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const from = y * (1 + stride);
    const filter = rows[from] ?? 0;
    const to = y * stride;
    if (filter > 4) return undefined;
    if (filter === 0) out.set(rows.subarray(from + 1, from + 1 + stride), to);
    else {
      for (let x = 0; x < stride; x++) {
        const left = x < CHANNELS ? 0 : (out[to + x - CHANNELS] as number);
        const above = y === 0 ? 0 : (out[to + x - stride] as number);
        const corner = x < CHANNELS || y === 0 ? 0 : (out[to + x - stride - CHANNELS] as number);
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
