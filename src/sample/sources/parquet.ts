// Source: parquet files as Hugging Face keeps them: a column of images (struct {bytes, path}, plain
// bytes, paths, or lists of these) beside captions, messages or conversations. One file a shard.
import { join } from 'node:path';
import { type ColumnRow, type Columns, openColumns, sqlName } from '../columns.ts';
import { hashFiles, type SourceFile } from './listing.ts';
import { entriesOf, type Row } from './rows/entries.ts';
import { fieldName } from './rows/fields.ts';
import type { RecordContext } from './rows/record.ts';
import type { Source, SourceEntry, SourceSpec } from './source.ts';

/** The engine hands out so many rows at once; they should not be more bytes than this. */
const BATCH_ROWS = 2048;
const WINDOW_BYTES = 128 * 1024 * 1024;
const MEMORY_MIB = 1024;

export function openParquet(
  spec: SourceSpec,
  name: string,
  files: readonly SourceFile[],
  windowBytes: number = WINDOW_BYTES,
): Source {
  const imageRoot = spec.imageRoot ?? files[0]?.root ?? spec.path;
  return {
    format: 'parquet',
    spec,
    hash: hashFiles(files),
    shards: files.map((file) => ({ name: file.name, count: undefined })),
    read: (shard) => {
      const root = files[0]?.root ?? spec.path;
      const context = { name, shard: shard.name, imageRoot };
      return readFile(join(root, shard.name), context, windowBytes);
    },
  };
}

async function* readFile(
  path: string,
  context: RecordContext,
  windowBytes: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  using columns = await openColumns({ memoryMiB: MEMORY_MIB });
  const expected = await countRows(columns, path);
  yield* entriesOf(readRows(columns, path, windowBytes), context, expected);
}

/** Undefined when the file is no parquet at all: reading it then says why. */
async function countRows(columns: Columns, path: string): Promise<number | undefined> {
  try {
    const rows = await all(columns, 'SELECT num_rows FROM parquet_file_metadata($1)', [path]);
    return Number(rows[0]?.['num_rows'] ?? 0);
  } catch {
    return undefined;
  }
}

async function* readRows(
  columns: Columns,
  path: string,
  windowBytes: number,
): AsyncGenerator<Row, void, undefined> {
  const schema = await all(columns, 'DESCRIBE SELECT * FROM read_parquet($1)', [path]);
  const names = schema.map((row) => String(row['column_name']));
  requireColumns(names);
  const select = `SELECT ${names.map(sqlName).join(', ')} FROM read_parquet($1, file_row_number = true)`;
  for (const [from, to] of await windows(columns, path, windowBytes)) {
    const where = `WHERE file_row_number >= ${from} AND file_row_number < ${to}`;
    let row = from;
    for await (const batch of columns.batches(`${select} ${where}`, [path])) {
      for (const fields of batch) {
        yield { place: String(row), record: { fields } };
        row += 1;
      }
    }
  }
}

function requireColumns(names: readonly string[]): void {
  const has = (role: Parameters<typeof fieldName>[1]): boolean =>
    fieldName(names, role) !== undefined;
  const found = names.slice(0, 12).join(', ');
  if (!has('caption') && !has('messages') && !has('conversations')) {
    throw new Error(`no caption, messages or conversations column, only ${found}`);
  }
  if (!has('image') && has('url') && !has('messages') && !has('conversations')) {
    throw new Error('a table of addresses: fetch the images first (onevision download)');
  }
  if (!has('image') && !has('messages') && !has('conversations')) {
    throw new Error(`no image column, only ${found}`);
  }
}

/**
 * Ranges of rows to ask for one after the other. One, unless a batch of rows would be too large by
 * the sizes in the file's footer: images in row groups of thousands.
 */
async function windows(
  columns: Columns,
  path: string,
  windowBytes: number,
): Promise<[number, number][]> {
  const groups = await all(
    columns,
    `SELECT any_value(row_group_num_rows) AS n, sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata($1) GROUP BY row_group_id ORDER BY row_group_id`,
    [path],
  );
  const list: [number, number][] = [];
  let start = 0;
  let isLarge = false;
  for (const group of groups) {
    const numRows = Number(group['n']);
    const rowBytes = Math.max(1, Number(group['bytes']) / Math.max(1, numRows));
    const step = Math.max(1, Math.min(BATCH_ROWS, Math.floor(windowBytes / rowBytes)));
    isLarge ||= step < Math.min(BATCH_ROWS, numRows);
    for (let at = 0; at < numRows; at += step) {
      list.push([start + at, start + Math.min(numRows, at + step)]);
    }
    start += numRows;
  }
  return isLarge ? list : [[0, start]];
}

async function all(columns: Columns, sql: string, values: readonly string[]): Promise<ColumnRow[]> {
  const rows: ColumnRow[] = [];
  for await (const batch of columns.batches(sql, values)) rows.push(...batch);
  return rows;
}
