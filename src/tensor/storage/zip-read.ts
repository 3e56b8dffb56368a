// The directory of a zip file whose entries are stored as they are, zip64 included: where each
// entry's bytes lie. Nothing is unpacked, every claim is checked against the file's size.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { OneVisionError } from '../../core/errors.ts';
import { readFully } from './stored-tensor.ts';

/** Where the bytes of an entry lie in the file. */
export interface ZipEntry {
  readonly begin: number;
  readonly end: number;
}

export interface ZipDirectory {
  readonly fileBytes: number;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const MAX_COMMENT_BYTES = 65_535;
const FULL_16 = 0xffff;
const FULL_32 = 0xffff_ffff;

/** @throws OneVisionError 'checkpoint' for another kind of file, or one that contradicts itself. */
export function readZipDirectory(path: string): ZipDirectory {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw refuse(path, 'to be there', String(cause instanceof Error ? cause.message : cause));
  }
  try {
    const fileBytes = fstatSync(file).size;
    const read = (begin: number, length: number): Buffer => {
      if (begin < 0 || begin + length > fileBytes) {
        throw refuse(path, `${length} bytes at ${begin}`, `a file of ${fileBytes} bytes`);
      }
      const buffer = Buffer.alloc(length);
      readFully(file, buffer, begin, path);
      return buffer;
    };
    const { count, begin, length } = findDirectory(read, fileBytes, path);
    const directory = read(begin, Math.min(length, MAX_DIRECTORY_BYTES));
    const entries = new Map<string, ZipEntry>();
    let offset = 0;
    for (let i = 0; i < count; i++) {
      const header = readHeader(directory, offset, path);
      offset = header.next;
      if (entries.has(header.name)) throw refuse(path, `${header.name} once`, 'it twice');
      // The entry's own header repeats the name; its lengths say where the bytes begin.
      const local = read(header.localOffset, 30);
      if (local.readUInt32LE(0) !== 0x04034b50) throw refuse(path, 'an entry', header.name);
      const start = header.localOffset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
      if (start + header.size > begin) throw refuse(path, `${header.name} whole`, 'a part of it');
      entries.set(header.name, { begin: start, end: start + header.size });
    }
    return { fileBytes, entries };
  } finally {
    closeSync(file);
  }
}

type Read = (begin: number, length: number) => Buffer;

function findDirectory(
  read: Read,
  fileBytes: number,
  path: string,
): { count: number; begin: number; length: number } {
  const tailBytes = Math.min(fileBytes, END_BYTES + MAX_COMMENT_BYTES);
  const tail = read(fileBytes - tailBytes, tailBytes);
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (at < 0 || at + END_BYTES > tail.byteLength) throw refuse(path, 'a zip file', 'none');
  const end = tail.subarray(at);
  const small = {
    count: end.readUInt16LE(10),
    length: end.readUInt32LE(12),
    begin: end.readUInt32LE(16),
  };
  if (small.count !== FULL_16 && small.length !== FULL_32 && small.begin !== FULL_32) return small;
  const locator = read(fileBytes - tailBytes + at - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== 0x07064b50) return small;
  const large = read(toNumber(locator.readBigUInt64LE(8), path), 56);
  return {
    count: toNumber(large.readBigUInt64LE(32), path),
    length: toNumber(large.readBigUInt64LE(40), path),
    begin: toNumber(large.readBigUInt64LE(48), path),
  };
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly localOffset: number;
  readonly next: number;
}

function readHeader(directory: Buffer, offset: number, path: string): Header {
  if (offset + 46 > directory.byteLength || directory.readUInt32LE(offset) !== 0x02014b50) {
    throw refuse(path, 'a whole directory', `none at its byte ${offset}`);
  }
  const nameBytes = directory.readUInt16LE(offset + 28);
  const extraBytes = directory.readUInt16LE(offset + 30);
  const next = offset + 46 + nameBytes + extraBytes + directory.readUInt16LE(offset + 32);
  if (next > directory.byteLength) throw refuse(path, 'a whole directory', 'a part of it');
  const name = directory.toString('utf8', offset + 46, offset + 46 + nameBytes);
  if (directory.readUInt16LE(offset + 10) !== 0) {
    throw refuse(path, `${name} stored as it is`, 'it compressed');
  }
  const extra = directory.subarray(offset + 46 + nameBytes, offset + 46 + nameBytes + extraBytes);
  const [size, , localOffset] = widen(
    extra,
    [24, 20, 42].map((field) => directory.readUInt32LE(offset + field)),
    path,
  );
  return { name, size: size ?? 0, localOffset: localOffset ?? 0, next };
}

/** Fields of 32 bits that are full stand in the zip64 block, in order. */
function widen(extra: Buffer, fields: readonly number[], path: string): number[] {
  let block = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) block = Buffer.from(extra.subarray(at + 4));
  }
  let next = 0;
  return fields.map((value) => {
    if (value !== FULL_32 || next + 8 > block.byteLength) return value;
    next += 8;
    return toNumber(block.readBigUInt64LE(next - 8), path);
  });
}

function toNumber(value: bigint, path: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw refuse(path, 'sizes that fit a file', String(value));
}

function refuse(path: string, expected: string, came: string): OneVisionError {
  return new OneVisionError('checkpoint', `${path}: expected ${expected}; came ${came}.`, {
    hint: 'Expected a file of torch.save (PyTorch 1.6 or newer, zip form) that was copied whole.',
  });
}
