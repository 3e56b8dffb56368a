// The JSON values of a file with where they lie: one a line, or the elements of one large array (as
// LLaVA keeps its conversations). Streams; a value over the limit is skipped over, not held.
import { createReadStream } from 'node:fs';

export interface JsonSlice {
  /** From 1: the line, or the element of the array. */
  readonly number: number;
  readonly start: number;
  readonly size: number;
  /** Absent when the value is larger than the limit. */
  readonly bytes: Buffer | undefined;
}

export const MAX_VALUE_BYTES: number = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSE: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const COMMA = 0x2c;
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Collects the bytes of one value that may come in several chunks. */
class Collector {
  #parts: Buffer[] = [];
  start = 0;
  size = 0;

  add(part: Buffer): void {
    this.size += part.length;
    if (this.size <= MAX_VALUE_BYTES) this.#parts.push(Buffer.from(part));
    else this.#parts = [];
  }

  take(number: number): JsonSlice {
    const { start, size } = this;
    const bytes = size <= MAX_VALUE_BYTES ? Buffer.concat(this.#parts) : undefined;
    this.#parts = [];
    this.start += size;
    this.size = 0;
    return { number, start, size, bytes };
  }
}

/** Which lines of a file: those that begin in `[from, to)`. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
  /** Newlines before `from`. */
  readonly numBefore: number;
}

/**
 * The lines of a file, or of a range of it, without their newlines; the last one need not end in a
 * newline.
 */
export async function* readLines(
  path: string,
  { from: first, to, numBefore }: LineRange = { from: 0, to: Infinity, numBefore: 0 },
): AsyncGenerator<JsonSlice, void, undefined> {
  const line = new Collector();
  // A line that begins right at `first` has its newline one byte before.
  let isInside = first === 0;
  line.start = Math.max(0, first - 1);
  let number = numBefore;
  const stream = createReadStream(path, { start: line.start });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    if (!isInside) {
      const end = chunk.indexOf(NEWLINE);
      if (end < 0) {
        line.start += chunk.length;
        continue;
      }
      // The newline at `first − 1` was counted before; a later one ends a line of the part before.
      if (line.start + end >= first) number += 1;
      isInside = true;
      from = end + 1;
      line.start += from;
    }
    for (let end = chunk.indexOf(NEWLINE, from); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (line.start >= to) return;
      line.add(chunk.subarray(from, end));
      number += 1;
      yield line.take(number);
      line.start += 1;
      from = end + 1;
    }
    line.add(chunk.subarray(from));
  }
  if (line.size > 0 && line.start < to) yield line.take(number + 1);
}

/**
 * The elements of a file that holds one JSON array. Bytes between `[`, `,` and `]` of depth one;
 * whether they are JSON is for the reader of the slice to see.
 *
 * @throws Error when the file ends inside of the array.
 */
export async function* readArray(path: string): AsyncGenerator<JsonSlice, void, undefined> {
  const element = new Collector();
  let number = 0;
  let position = 0;
  let depth = 0;
  let isText = false;
  let isEscaped = false;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (isText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isText = false;
        continue;
      }
      if (byte === QUOTE) isText = true;
      else if (OPEN.has(byte)) {
        depth += 1;
        if (depth > 1) continue;
        from = i + 1;
        element.start = position + from;
      } else if ((CLOSE.has(byte) && depth-- === 1) || (byte === COMMA && depth === 1)) {
        element.add(chunk.subarray(from, i));
        const slice = element.take(number + 1);
        if (!isBlank(slice)) {
          number += 1;
          yield slice;
        }
        element.start += 1;
        from = i + 1;
        if (depth === 0) return;
      }
    }
    if (depth > 0) element.add(chunk.subarray(from));
    position += chunk.length;
  }
  throw new Error('the file ends inside of its JSON array');
}

function isBlank({ bytes }: JsonSlice): boolean {
  return bytes?.every((byte) => BLANK.has(byte)) === true;
}

/** Whether the first thing in the file is a `[`. */
export async function startsArray(path: string): Promise<boolean> {
  for await (const chunk of createReadStream(path, { end: 4095 }) as AsyncIterable<Buffer>) {
    const isMark = chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    const first = chunk.subarray(isMark ? 3 : 0).find((byte) => !BLANK.has(byte));
    return first === 0x5b;
  }
  return false;
}
