// Tar archives (ustar): members to bytes, and a bounded streaming reader that notices every cut.
// Knows nothing of samples. Reads also the long names of GNU and pax archives.
import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OneVisionError } from '../core/errors.ts';

export const TAR_BLOCK = 512;
/** The two zero blocks that end an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK);

const MAX_NAME_BYTES = 100;
const DEFAULT_MAX_MEMBER_BYTES = 256 * 1024 * 1024;
/** Members that hold a name (GNU) or attributes (pax): far more than any path takes. */
const MAX_LONG_NAME_BYTES = 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

export interface TarMember {
  readonly name: string;
  /** Where the member's first header lies in the file. */
  readonly headerOffset: number;
  /** Where its content begins. */
  readonly dataOffset: number;
  readonly bytes: Buffer;
}

/**
 * One member as it lies in an archive: header, content, padding. Time, owner and mode are fixed, so
 * that the same content gives the same bytes.
 *
 * @throws OneVisionError 'data' for a name longer than 100 bytes.
 */
export function encodeTarMember(name: string, data: Uint8Array): Buffer {
  const member = Buffer.alloc(TAR_BLOCK + paddedSize(data.byteLength));
  encodeTarHeader(name, data.byteLength).copy(member, 0);
  member.set(data, TAR_BLOCK);
  return member;
}

/** The header alone, for content that is written from where it lies. Throws as `encodeTarMember`. */
export function encodeTarHeader(name: string, size: number): Buffer {
  const nameBytes = Buffer.from(name, 'utf8');
  if (nameBytes.length === 0 || nameBytes.length > MAX_NAME_BYTES) {
    throw new OneVisionError(
      'data',
      `Expected a tar member name of 1 to ${MAX_NAME_BYTES} bytes, got ${nameBytes.length}: ${name}.`,
    );
  }
  const header = Buffer.alloc(TAR_BLOCK);
  nameBytes.copy(header, 0);
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        0', 148, 'latin1'); // blank checksum, type 0 = regular file
  header.write('ustar\x0000', 257, 'latin1');
  const sum = checksum(header);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/**
 * The regular members of an archive in order, one at a time.
 *
 * @param options.maxMemberBytes refuse larger members before memory is reserved (default 256 MiB).
 * @throws OneVisionError 'data' after the last whole member when the archive is cut, damaged, empty
 * or lacks its end marker.
 */
export async function* readTar(
  path: string,
  options: { readonly maxMemberBytes?: number } = {},
): AsyncGenerator<TarMember, void, undefined> {
  const maxBytes = options.maxMemberBytes ?? DEFAULT_MAX_MEMBER_BYTES;
  const handle = await openFile(path);
  try {
    const source = new ChunkReader(handle);
    const names = new MemberNames();
    for (;;) {
      const header = await source.take(TAR_BLOCK);
      if (header.length === 0) throw damaged(path, source.position, 'ends without an end marker');
      if (header.length < TAR_BLOCK) throw damaged(path, source.position, 'is cut in a header');
      if (isZero(header)) return;
      const head = parseHeader(header, path, source.position - TAR_BLOCK);
      const { size } = head;
      if (size > maxBytes) {
        throw damaged(path, source.position, `has a member of ${size} bytes (limit ${maxBytes})`);
      }
      const dataOffset = source.position;
      const bytes = await source.take(size);
      const padding = await source.take(paddedSize(size) - size);
      if (bytes.length < size || padding.length < paddedSize(size) - size) {
        throw damaged(path, source.position, `is cut in member ${names.of(head)}`);
      }
      const regular = names.take(head, source.position, () => bytes);
      if (regular !== undefined) yield { ...regular, dataOffset, bytes };
    }
  } finally {
    await handle.close();
  }
}

/**
 * The regular members of an archive's bytes in memory, such as a record fetched by its range: from a
 * header to a header or the end marker. Contents are views.
 * @throws OneVisionError 'data' when a header is damaged or the bytes end inside a member.
 */
export function* membersOf(slice: Buffer, where: string): Generator<TarMember, void, undefined> {
  const names = new MemberNames();
  for (let offset = 0; offset < slice.length; ) {
    const header = slice.subarray(offset, offset + TAR_BLOCK);
    if (header[0] === 0 && isZero(header)) return;
    if (header.length < TAR_BLOCK) throw damaged(where, offset, 'is cut in a header');
    const head = parseHeader(header, where, offset);
    const dataOffset = offset + TAR_BLOCK;
    const end = dataOffset + head.size;
    if (end > slice.length) throw damaged(where, offset, `is cut in member ${names.of(head)}`);
    const bytes = slice.subarray(dataOffset, end);
    offset = dataOffset + paddedSize(head.size);
    const regular = names.take(head, offset, () => bytes);
    if (regular !== undefined) yield { ...regular, dataOffset, bytes };
  }
}

/** A member without its content. */
export interface TarEntry extends Omit<TarMember, 'bytes'> {
  readonly size: number;
}

/**
 * The regular members of an archive by their headers alone, contents skipped.
 * @throws OneVisionError 'data' as `readTar`, except that a cut in the last content goes unseen.
 */
export function* tarEntries(path: string): Generator<TarEntry, void, undefined> {
  const file = openSync(path, 'r');
  const take = (offset: number, size: number): Buffer => {
    const bytes = Buffer.allocUnsafe(size);
    return bytes.subarray(0, readSync(file, bytes, 0, size, offset));
  };
  try {
    const names = new MemberNames();
    for (let offset = 0; ; ) {
      const header = take(offset, TAR_BLOCK);
      if (header.length < TAR_BLOCK) throw damaged(path, offset, 'ends without an end marker');
      if (header[0] === 0 && isZero(header)) return;
      const head = parseHeader(header, path, offset);
      const { size } = head;
      const dataOffset = offset + TAR_BLOCK;
      offset = dataOffset + paddedSize(size);
      const regular = names.take(head, offset, () => take(dataOffset, size));
      if (regular !== undefined) yield { ...regular, dataOffset, size };
    }
  } finally {
    closeSync(file);
  }
}

/** A long name stands in a member of its own, before the member that it names. */
class MemberNames {
  #longName: string | undefined;
  #start = 0;

  /** The name of the member with this header. */
  of({ name }: Header): string {
    return this.#longName ?? name;
  }

  /**
   * Takes the next member, which ends at `end`. `content` is asked for only where it holds a name.
   * @returns name and first header of a regular file, undefined for other members.
   */
  take(
    head: Header,
    end: number,
    content: () => Buffer,
  ): Pick<TarMember, 'name' | 'headerOffset'> | undefined {
    const { type } = head;
    const member = { name: this.of(head), headerOffset: this.#start };
    if (type === 'L') this.#longName = cString(content());
    else if (type === 'x') this.#longName = paxPath(content()) ?? this.#longName;
    else if (type !== 'g') this.#longName = undefined;
    if (this.#longName === undefined) this.#start = end;
    return type === '0' || type === '\0' ? member : undefined;
  }
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

function parseHeader(header: Buffer, path: string, offset: number): Header {
  const stored = readOctal(header, 148, 8);
  if (stored !== checksum(header)) throw damaged(path, offset, 'has a damaged header');
  const size = readOctal(header, 124, 12);
  if (size === undefined) throw damaged(path, offset, 'has a member of unreadable size');
  const name = cString(header.subarray(0, 100));
  const isUstar = header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0;
  const prefix = isUstar ? cString(header.subarray(345, 500)) : '';
  const type = String.fromCharCode(header[156] ?? 0);
  if ('Lxg'.includes(type) && size > MAX_LONG_NAME_BYTES) {
    const limit = `(limit ${MAX_LONG_NAME_BYTES})`;
    throw damaged(path, offset, `has a name or attributes of ${size} bytes ${limit}`);
  }
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type };
}

/** The sum of the header's bytes with the checksum field taken as blanks. */
function checksum(header: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  return sum;
}

function readOctal(header: Buffer, offset: number, length: number): number | undefined {
  const text = cString(header.subarray(offset, offset + length)).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function paxPath(bytes: Buffer): string | undefined {
  return /^\d+ path=(.*)$/m.exec(bytes.toString('utf8'))?.[1];
}

/** `size` up to the next whole block: what content takes in an archive. */
export function paddedSize(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function damaged(path: string, offset: number, what: string): OneVisionError {
  return new OneVisionError(
    'data',
    `Expected a whole tar archive; ${path} ${what}, at ${offset}.`,
    {
      hint: 'write the shard again, or take it out of the folder',
    },
  );
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new OneVisionError('data', `Expected a tar archive at ${path}; it cannot be opened.`, {
      hint: 'check the path, or run the stage that writes it again',
      cause,
    });
  }
}

/** Reads a file front to back in large pieces and hands out small ones. */
class ChunkReader {
  position = 0;
  readonly #handle: FileHandle;
  readonly #buffer: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #chunk: Buffer = Buffer.alloc(0);

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** The next `size` bytes, or as many as the file still has. */
  async take(size: number): Promise<Buffer> {
    const out = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size) {
      if (this.#chunk.length === 0 && !(await this.#refill())) break;
      const part = this.#chunk.subarray(0, size - filled);
      filled += part.copy(out, filled);
      this.#chunk = this.#chunk.subarray(part.length);
    }
    this.position += filled;
    return filled === size ? out : out.subarray(0, filled);
  }

  async #refill(): Promise<boolean> {
    const { bytesRead } = await this.#handle.read(this.#buffer, 0, CHUNK_BYTES, null);
    this.#chunk = this.#buffer.subarray(0, bytesRead);
    return bytesRead > 0;
  }
}
