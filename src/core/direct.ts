// Writing past the page cache (O_DIRECT). What is written once and not read soon fills the cache in
// vain, and fresh pages of it cost several times as much as the disk; fsync then has little left to do.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** What a direct write must be a multiple of, in the file and in memory. */
const PAGE = 4096;

/** The part of a `FileHandle` that writing needs. */
export type Writable = Pick<FileHandle, 'sync' | 'datasync' | 'close'> & {
  write(data: Uint8Array, offset: number, position: number): Promise<number>;
};

/** Memory on a page boundary, as direct writes need it. */
export function pageAligned(size: number): Buffer<ArrayBuffer> {
  // Resizable memory is mapped page by page, other memory begins behind a head of its own.
  return Buffer.from(new ArrayBuffer(size, { maxByteLength: size }), 0, size);
}

/** Creates a file that must not exist and is written through the page cache. */
export async function create(path: string): Promise<Writable> {
  return through(await open(path, 'wx'));
}

/**
 * Creates a file whose whole pages go past the page cache, given in memory of `pageAligned`; the rest,
 * and all of it where the system cannot do that, goes through the cache.
 */
export async function createDirect(path: string): Promise<Writable> {
  const file = await create(path);
  let direct = await openDirect(path);
  const closeDirect = async (): Promise<void> => {
    const handle = direct;
    direct = undefined;
    await handle?.close();
  };
  return {
    ...file,
    async write(data, offset, position) {
      if (
        direct !== undefined &&
        (data.byteLength - offset) % PAGE === 0 &&
        position % PAGE === 0
      ) {
        try {
          return (await direct.write(data, offset, undefined, position)).bytesWritten;
        } catch (error) {
          if (!isRefusal(error)) throw error;
          await closeDirect();
        }
      }
      return await file.write(data, offset, position);
    },
    async close() {
      await closeDirect();
      await file.close();
    },
  };
}

function through(handle: FileHandle): Writable {
  return {
    write: async (data, offset, position) =>
      (await handle.write(data, offset, undefined, position)).bytesWritten,
    sync: () => handle.sync(),
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** Undefined where the system has no such writes (macOS) or the file system none (some in memory). */
async function openDirect(path: string): Promise<FileHandle | undefined> {
  const { O_WRONLY, O_DIRECT } = constants;
  if (O_DIRECT === undefined) return undefined;
  return await open(path, O_WRONLY | O_DIRECT).catch(() => undefined);
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EINVAL';
}
