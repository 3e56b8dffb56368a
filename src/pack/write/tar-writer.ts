// One shard of records as a tar archive with its index. Content is copied once, into the buffer that
// is hashed and written.
import { createHash, type Hash } from 'node:crypto';
import { basename } from 'node:path';
import { type AtomicFile, createFileAtomic, writeFileAtomic } from '../../core/files.ts';
import type { ManifestFile } from '../../sample/manifest.ts';
import { encodeTarHeader, paddedSize, TAR_BLOCK, TAR_END } from '../../sample/tar.ts';
import type { PackPart } from '../record.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * A tar archive under way. Its `.idx` has n + 1 little-endian uint64 offsets: the first header of
 * every record and the end of the last one (Megatron-Energon's index format).
 */
export class TarWriter {
  readonly #path: string;
  readonly #file: AtomicFile;
  readonly #hash: Hash = createHash('sha256');
  readonly #offsets: number[] = [0];
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  #end = 0;

  private constructor(path: string, file: AtomicFile) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws OneVisionError 'disk' */
  static async create(path: string): Promise<TarWriter> {
    return new TarWriter(path, await createFileAtomic(path));
  }

  /** Appends one record. */
  async add(key: string, parts: readonly PackPart[]): Promise<void> {
    for (const { name, bytes } of parts) {
      await this.#put(encodeTarHeader(`${key}.${name}`, bytes.length), TAR_BLOCK);
      await this.#put(bytes, paddedSize(bytes.length));
    }
    this.#offsets.push(this.#end);
  }

  /** Ends the archive; both files have their names when it returns. */
  async close(): Promise<ManifestFile[]> {
    await this.#put(TAR_END, TAR_END.length);
    await this.#flush();
    const count = this.#offsets.length - 1;
    const index = encodeIndex(this.#offsets);
    await writeFileAtomic(`${this.#path}.idx`, index);
    await this.#file.commit();
    const name = basename(this.#path);
    const sha256 = createHash('sha256').update(index).digest('hex');
    return [
      { name, bytes: this.#end, sha256: this.#hash.digest('hex'), count },
      { name: `${name}.idx`, bytes: index.length, sha256, count: count + 1 },
    ];
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }

  /** Copies `bytes` and zeros up to `size`. */
  async #put(bytes: Uint8Array, size: number): Promise<void> {
    if (this.#used + size > BUFFER_BYTES) await this.#flush();
    this.#end += size;
    if (size > BUFFER_BYTES) {
      const padded = Buffer.alloc(size);
      padded.set(bytes);
      this.#hash.update(padded);
      await this.#file.write(padded);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#buffer.fill(0, this.#used + bytes.length, this.#used + size);
    this.#used += size;
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#hash.update(bytes);
    await this.#file.write(bytes);
    this.#used = 0;
  }
}

function encodeIndex(offsets: readonly number[]): Buffer {
  const bytes = Buffer.alloc(offsets.length * 8);
  offsets.forEach((offset, index) => {
    bytes.writeBigUInt64LE(BigInt(offset), index * 8);
  });
  return bytes;
}
