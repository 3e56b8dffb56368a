// One shard of records as a tar archive with its index.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { BlockFile } from '../../core/block-file.ts';
import { writeFileAtomic } from '../../core/files.ts';
import type { ManifestFile } from '../../sample/manifest.ts';
import { encodeTarHeader, paddedSize, TAR_END } from '../../sample/tar.ts';
import type { PackPart } from '../record.ts';

/**
 * A tar archive under way. Its `.idx` has n + 1 little-endian uint64 offsets: the first header of
 * every record and the end of the last one (Megatron-Energon's index format).
 */
export class TarWriter {
  readonly #path: string;
  readonly #file: BlockFile;
  readonly #offsets: number[] = [0];

  private constructor(path: string, file: BlockFile) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws OneVisionError 'disk' */
  static async create(path: string): Promise<TarWriter> {
    return new TarWriter(path, await BlockFile.create(path));
  }

  /** Appends one record. */
  async add(key: string, parts: readonly PackPart[]): Promise<void> {
    for (const { name, bytes } of parts) {
      await this.#file.append(encodeTarHeader(`${key}.${name}`, bytes.length));
      await this.#file.append(bytes, paddedSize(bytes.length));
    }
    this.#offsets.push(this.#file.bytes);
  }

  /** Ends the archive; both files have their names when it returns. */
  async close(): Promise<ManifestFile[]> {
    await this.#file.append(TAR_END);
    const count = this.#offsets.length - 1;
    const index = encodeIndex(this.#offsets);
    const [archive] = await Promise.all([
      this.#file.commit(),
      writeFileAtomic(`${this.#path}.idx`, index),
    ]);
    const name = basename(this.#path);
    const sha256 = createHash('sha256').update(index).digest('hex');
    return [
      { name, ...archive, count },
      { name: `${name}.idx`, bytes: index.length, sha256, count: count + 1 },
    ];
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }
}

function encodeIndex(offsets: readonly number[]): Buffer {
  const bytes = Buffer.alloc(offsets.length * 8);
  offsets.forEach((offset, index) => {
    bytes.writeBigUInt64LE(BigInt(offset), index * 8);
  });
  return bytes;
}
