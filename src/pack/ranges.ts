// Records read by byte range from many tar files, few of them open at once. Whole archives, long
// names and repairs are sample/tar.ts's business.

import { closeSync, openSync, readSync } from 'node:fs';
import { OneVisionError } from '../core/errors.ts';
import { membersOf } from '../sample/tar.ts';

const MAX_OPEN = 64;

/** Files opened on demand; the one used longest ago is closed when there are too many. */
export class FilePool {
  readonly #open = new Map<string, number>();

  /**
   * Reads `size` bytes at `offset`, into `bytes` where it is given.
   * @throws OneVisionError 'data' when the file is missing or ends before.
   */
  read(
    path: string,
    offset: number,
    size: number,
    bytes: Buffer = Buffer.allocUnsafeSlow(size),
  ): Buffer {
    let done = 0;
    try {
      const file = this.#file(path);
      while (done < size) {
        const count = readSync(file, bytes, done, size - done, offset + done);
        if (count === 0) break;
        done += count;
      }
    } catch (cause) {
      throw new OneVisionError('data', `expected to read ${path}, came: ${String(cause)}`, {
        hint: 'run the stage that writes this file again',
        cause,
      });
    }
    if (done === size) return bytes;
    throw new OneVisionError(
      'data',
      `expected ${size} bytes at ${offset} of ${path}, came ${done}: the file is cut`,
      { hint: 'delete the folder of this stage and run it again' },
    );
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #file(path: string): number {
    const file = this.#open.get(path) ?? openSync(path, 'r');
    this.#open.delete(path);
    this.#open.set(path, file);
    for (const [oldest, handle] of this.#open) {
      if (this.#open.size <= MAX_OPEN) break;
      this.#open.delete(oldest);
      closeSync(handle);
    }
    return file;
  }
}

/** One member, its name split at the first dot of the file name: `ps_0.img1.png` → `img1.png`. */
export interface SliceMember {
  readonly key: string;
  readonly part: string;
  /** A view into the slice. */
  readonly bytes: Buffer;
}

/**
 * The members of a slice that begins at a header and ends at one, or at the end marker.
 * @throws OneVisionError 'data' when a header is damaged or the slice ends inside a member.
 */
export function sliceMembers(slice: Buffer, where: string): SliceMember[] {
  return Array.from(membersOf(slice, where), ({ name, bytes }) => {
    const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
    const split = dot < 0 ? name.length : dot;
    return { key: name.slice(0, split), part: name.slice(split + 1), bytes };
  });
}
