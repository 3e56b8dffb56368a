// Large files as several shards, so that one file spreads over tasks: JSON lines by ranges of bytes,
// parquet by row groups. Where a record belongs depends on the file alone, and so do names and uids.
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { type Columns, openColumns } from '../columns.ts';
import type { SourceFile } from './listing.ts';

/** Bytes of a file that make a part. */
export const PART_BYTES: number = 64 * 1024 * 1024;

/** A part of a file: `[from, to)` in bytes or rows. */
export interface Part {
  /** Name of the shard: the file's, with the number of the part where it has several. */
  readonly name: string;
  readonly file: SourceFile;
  readonly from: number;
  readonly to: number;
}

function partName(file: SourceFile, index: number, count: number): string {
  return count === 1 ? file.name : `${file.name}+${String(index).padStart(5, '0')}`;
}

/** Equal ranges of bytes. A line belongs to the part that its first byte lies in. */
export function byteParts(file: SourceFile, path: string, partBytes: number): Part[] {
  const count = isArray(path) ? 1 : Math.max(1, Math.ceil(file.bytes / partBytes));
  return Array.from({ length: count }, (_, index) => ({
    name: partName(file, index, count),
    file,
    from: index * partBytes,
    to: index === count - 1 ? Number.POSITIVE_INFINITY : (index + 1) * partBytes,
  }));
}

/** One JSON array has to be read from its beginning. */
function isArray(path: string): boolean {
  const head = Buffer.alloc(4096);
  let size = 0;
  const descriptor = openSync(path, 'r');
  try {
    size = readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return /^\uFEFF?\s*\[/.test(head.toString('utf8', 0, size));
}

/** Whole row groups of about `partBytes`. A file that is no parquet is one part; reading says why. */
export async function rowParts(
  file: SourceFile,
  path: string,
  partBytes: number,
  columns: Columns,
): Promise<Part[]> {
  const whole = { file, from: 0, to: Number.POSITIVE_INFINITY };
  if (file.bytes <= partBytes) return [{ ...whole, name: file.name }];
  const ends: number[] = [];
  let [end, bytes] = [0, 0];
  try {
    const sql = `SELECT any_value(row_group_num_rows)::DOUBLE AS n,
      sum(total_compressed_size)::DOUBLE AS bytes
      FROM parquet_metadata($1) GROUP BY row_group_id ORDER BY row_group_id`;
    for await (const groups of columns.batches(sql, [path])) {
      for (const group of groups) {
        end += Number(group['n']);
        bytes += Number(group['bytes']);
        if (bytes < partBytes) continue;
        ends.push(end);
        bytes = 0;
      }
    }
  } catch {
    return [{ ...whole, name: file.name }];
  }
  if (bytes > 0 || ends.length === 0) ends.push(end);
  return ends.map((to, index) => ({
    name: partName(file, index, ends.length),
    file,
    from: ends[index - 1] ?? 0,
    to,
  }));
}

/** The parts of parquet files; only large ones are looked into. */
export async function allRowParts(
  files: readonly SourceFile[],
  pathOf: (file: SourceFile) => string,
  partBytes: number,
): Promise<Part[]> {
  using columns = await openColumns();
  const parts: Part[] = [];
  for (const file of files) {
    parts.push(...(await rowParts(file, pathOf(file), partBytes, columns)));
  }
  return parts;
}

/**
 * Counts the newlines before a place in a file. Places that grow are counted on from the last one,
 * so that all parts of a file together read it once more.
 */
export function lineCounter(path: string): (before: number) => Promise<number> {
  let [position, lines] = [0, 0];
  return async (before) => {
    if (before < position) [position, lines] = [0, 0];
    if (before === position) return lines;
    const range = { start: position, end: before - 1 };
    for await (const chunk of createReadStream(path, range) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
    }
    position = before;
    return lines;
  };
}
