// Zip files written front to back, entries stored as they are, zip64 throughout: sizes are known
// before the bytes, checksums follow them. Entry data begins at multiples of 64, as torch.save does.
import { crc32 } from 'node:zlib';
import type { AtomicFile } from '../../core/files.ts';

const ALIGNMENT = 64;
const FULL_32 = 0xffff_ffff;
/** Bit 3: the checksum follows the data; bit 11: names are UTF-8. */
const FLAGS = 0x0808;
/** 1 January 1980, so that the bytes depend on the content only. */
const DATE = 0x0021;
/** Extra block of padding that torch.save uses. */
const PADDING = 0x4246;

interface Written {
  readonly name: Buffer;
  readonly size: number;
  readonly offset: number;
  readonly crc: number;
}

/** Appends entries to a file; `finish` writes the directory. */
export class ZipWriter {
  readonly #file: AtomicFile;
  readonly #entries: Written[] = [];

  constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** @throws OneVisionError 'disk' */
  async add(name: string, size: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const offset = this.#file.bytes;
    const nameBytes = Buffer.from(name);
    await this.#file.write(localHeader(nameBytes, size, offset));
    let crc = 0;
    for (const chunk of chunks) {
      crc = crc32(chunk, crc);
      await this.#file.write(chunk);
    }
    const descriptor = Buffer.alloc(24);
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeBigUInt64LE(BigInt(size), 8);
    descriptor.writeBigUInt64LE(BigInt(size), 16);
    await this.#file.write(descriptor);
    this.#entries.push({ name: nameBytes, size, offset, crc });
  }

  /** @throws OneVisionError 'disk' */
  async finish(): Promise<void> {
    const begin = this.#file.bytes;
    for (const entry of this.#entries) await this.#file.write(directoryHeader(entry));
    const end = this.#file.bytes;
    await this.#file.write(endOfDirectory(this.#entries.length, begin, end));
  }
}

/** Fields that a zip64 block repeats in 64 bits. */
function wide(...values: readonly number[]): Buffer {
  const block = Buffer.alloc(4 + 8 * values.length);
  block.writeUInt16LE(1, 0);
  block.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) block.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return block;
}

function localHeader(name: Buffer, size: number, offset: number): Buffer {
  const sizes = wide(size, size);
  const unpadded = offset + 30 + name.byteLength + sizes.byteLength + 4;
  const padding = Buffer.alloc(4 + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT));
  padding.writeUInt16LE(PADDING, 0);
  padding.writeUInt16LE(padding.byteLength - 4, 2);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(45, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DATE, 12);
  header.writeUInt32LE(FULL_32, 18);
  header.writeUInt32LE(FULL_32, 22);
  header.writeUInt16LE(name.byteLength, 26);
  header.writeUInt16LE(sizes.byteLength + padding.byteLength, 28);
  return Buffer.concat([header, name, sizes, padding]);
}

function directoryHeader({ name, size, offset, crc }: Written): Buffer {
  const fields = wide(size, size, offset);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(45, 4);
  header.writeUInt16LE(45, 6);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(FULL_32, 20);
  header.writeUInt32LE(FULL_32, 24);
  header.writeUInt16LE(name.byteLength, 28);
  header.writeUInt16LE(fields.byteLength, 30);
  header.writeUInt32LE(FULL_32, 42);
  return Buffer.concat([header, name, fields]);
}

/** The zip64 end, its locator, and the plain end that sends readers to them. */
function endOfDirectory(count: number, begin: number, end: number): Buffer {
  const large = Buffer.alloc(56);
  large.writeUInt32LE(0x06064b50, 0);
  large.writeBigUInt64LE(44n, 4);
  large.writeUInt16LE(45, 12);
  large.writeUInt16LE(45, 14);
  large.writeBigUInt64LE(BigInt(count), 24);
  large.writeBigUInt64LE(BigInt(count), 32);
  large.writeBigUInt64LE(BigInt(end - begin), 40);
  large.writeBigUInt64LE(BigInt(begin), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(end), 8);
  locator.writeUInt32LE(1, 16);
  const small = Buffer.alloc(22);
  small.writeUInt32LE(0x06054b50, 0);
  small.writeUInt16LE(0xffff, 8);
  small.writeUInt16LE(0xffff, 10);
  small.writeUInt32LE(FULL_32, 12);
  small.writeUInt32LE(FULL_32, 16);
  return Buffer.concat([large, locator, small]);
}
