// A large file written front to back in blocks: bytes are copied once, into the block that is hashed and
// goes to the disk past the page cache while the next ones are filled. Appears whole, like every file.

import { createHash, type Hash } from 'node:crypto';
import { pageAligned } from './direct.ts';
import { type AtomicFile, createFileAtomic } from './files.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks on their way to the disk at a time: with one of them it waits for us between two. */
const MAX_SENT = 3;
/** Blocks that no file uses. */
const spare: Buffer<ArrayBuffer>[] = [];

/** What a finished file holds. */
export interface BlockFileSummary {
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export class BlockFile {
  readonly #file: AtomicFile;
  readonly #hash: Hash = createHash('sha256');
  #block: Buffer<ArrayBuffer> = takeBlock();
  #used = 0;
  #bytes = 0;
  /** Blocks on their way to the disk, the oldest first. */
  readonly #sent: { readonly block: Buffer<ArrayBuffer>; readonly arrival: Promise<void> }[] = [];

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  /** @throws OneVisionError 'disk' */
  static async create(path: string): Promise<BlockFile> {
    return new BlockFile(await createFileAtomic(path, { isDirect: true }));
  }

  /** Bytes appended so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends `bytes`, and zeros up to `size`. They may be overwritten as soon as it returns. */
  async append(bytes: Uint8Array, size: number = bytes.length): Promise<void> {
    this.#bytes += size;
    for (let from = 0; from < size; ) {
      const part = Math.min(size - from, BLOCK_BYTES - this.#used);
      const end = this.#used + part;
      const given = bytes.subarray(from, from + part);
      this.#block.set(given, this.#used);
      this.#block.fill(0, this.#used + given.length, end);
      this.#used = end;
      from += part;
      if (end === BLOCK_BYTES) await this.#flush();
    }
  }

  /** Puts all of it on the disk and gives the file its name. */
  async commit(): Promise<BlockFileSummary> {
    await this.#flush();
    await Promise.all(this.#sent.map(({ arrival }) => arrival));
    await this.#file.commit();
    this.#giveBack();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Throws the bytes away. Does nothing after `commit`. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#sent.map(({ arrival }) => arrival));
    await this.#file.abort();
    this.#giveBack();
  }

  /** Sends the block on its way; the next one is a spare one, or the oldest that has arrived. */
  async #flush(): Promise<void> {
    const [block, bytes] = [this.#block, this.#block.subarray(0, this.#used)];
    const arrival = this.#file.write(bytes);
    arrival.catch(() => undefined); // who waits for it throws it
    this.#sent.push({ block, arrival });
    this.#block = NO_BLOCK;
    this.#used = 0;
    this.#hash.update(bytes);
    const oldest = this.#sent.length > MAX_SENT ? this.#sent.shift() : undefined;
    await oldest?.arrival;
    this.#block = oldest?.block ?? takeBlock();
  }

  #giveBack(): void {
    for (const { block } of this.#sent.splice(0)) spare.push(block);
    if (this.#block.length > 0) spare.push(this.#block);
    this.#block = NO_BLOCK;
  }
}

const NO_BLOCK: Buffer<ArrayBuffer> = Buffer.alloc(0);

function takeBlock(): Buffer<ArrayBuffer> {
  return spare.pop() ?? pageAligned(BLOCK_BYTES);
}
