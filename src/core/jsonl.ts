// JSON lines: an append-only file of one JSON value a line. A torn last line never existed.

import * as fs from 'node:fs';
import { OneVisionError } from './errors.ts';
import { createFileAtomic, diskError } from './files.ts';

const NEWLINE = 0x0a;

/** An open JSON-lines file. Every `append` is one write of whole lines. */
export interface JsonlWriter {
  append(...rows: readonly unknown[]): void;
  /** Wait until the rows are on the disk (fsync). */
  sync(): void;
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Read the rows of a JSON-lines file in order, in bounded memory. The last line counts only when
 * its newline is there: a writer killed in the middle loses that row and nothing else.
 * A missing file has no rows.
 * @throws OneVisionError 'data' with file and line number for a broken line before the last.
 */
export async function* readJsonl(file: string): AsyncGenerator<unknown, void, undefined> {
  if (!fs.existsSync(file)) return;
  let line = 0;
  let rest: Buffer[] = [];
  for await (const chunk of fs.createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      rest.push(chunk.subarray(start, end));
      const bytes = rest.length === 1 ? (rest[0] as Buffer) : Buffer.concat(rest);
      rest = [];
      start = end + 1;
      line += 1;
      if (bytes.length > 0) yield parseLine(bytes, file, line);
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
}

/** The same as `readJsonl`, all rows at once; for small files. */
export function readJsonlSync(file: string): unknown[] {
  if (!fs.existsSync(file)) return [];
  const data = fs.readFileSync(file);
  const rows: unknown[] = [];
  let start = 0;
  let line = 0;
  for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
    line += 1;
    if (end > start) rows.push(parseLine(data.subarray(start, end), file, line));
    start = end + 1;
  }
  return rows;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseLine(bytes: Uint8Array, file: string, line: number): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new OneVisionError('data', `expected JSON in ${file} line ${line}, came: ${what}`, {
      cause: error,
      hint: `look at it with: sed -n ${line}p ${file}`,
    });
  }
}

const FLUSH_ROWS = 4096;

/** Write a whole file, row by row in bounded memory. It appears only when it is complete. */
export async function writeJsonl(
  file: string,
  rows: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<number> {
  await using written = await createFileAtomic(file);
  let lines: string[] = [];
  let count = 0;
  for await (const row of rows) {
    lines.push(`${JSON.stringify(row)}\n`);
    count += 1;
    if (lines.length < FLUSH_ROWS) continue;
    await written.write(lines.join(''));
    lines = [];
  }
  await written.write(lines.join(''));
  await written.commit();
  return count;
}

/**
 * Open a JSON-lines file for appending. A torn last line is cut off first, so that the next row
 * starts on a line of its own.
 * @throws OneVisionError 'disk' when the file cannot be opened or written.
 */
export function openJsonl(file: string): JsonlWriter {
  const descriptor = attempt(file, () => {
    const opened = fs.openSync(file, 'a+');
    cutTornLine(opened);
    return opened;
  });
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    fs.closeSync(descriptor);
  };
  return {
    append: (...rows) => {
      if (rows.length === 0) return;
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      attempt(file, () => writeAll(descriptor, Buffer.from(text)));
    },
    sync: () => attempt(file, () => fs.fsyncSync(descriptor)),
    close,
    [Symbol.dispose]: close,
  };
}

function attempt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(error, file);
  }
}

function writeAll(descriptor: number, data: Uint8Array): void {
  let offset = 0;
  while (offset < data.byteLength) offset += fs.writeSync(descriptor, data, offset);
}

function cutTornLine(descriptor: number): void {
  let end = fs.fstatSync(descriptor).size;
  const size = end;
  const block = Buffer.alloc(4096);
  while (end > 0) {
    const from = Math.max(0, end - block.length);
    const length = fs.readSync(descriptor, block, 0, end - from, from);
    const newline = block.subarray(0, length).lastIndexOf(NEWLINE);
    if (newline >= 0) {
      end = from + newline + 1;
      break;
    }
    end = from;
  }
  if (end < size) fs.ftruncateSync(descriptor, end);
}
