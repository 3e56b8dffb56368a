// Source: parquet files as Hugging Face keeps them: a column of images (struct {bytes, path}, plain
// bytes, paths, or lists of these) beside captions, messages or conversations. One file a shard, of a
// large file some row groups.
import { join } from 'node:path';
import { type ColumnRow, type Columns, openColumns } from '../columns.ts';
import {
  countParquetRows,
  parquetColumns,
  readParquetRows,
  WINDOW_BYTES,
} from '../parquet-rows.ts';
import { hashFiles, type SourceFile } from './listing.ts';
import { allRowParts, PART_BYTES, type Part } from './parts.ts';
import { entriesOf, type Row, samplesAgain } from './rows/entries.ts';
import { fieldName } from './rows/fields.ts';
import type { RecordContext } from './rows/record.ts';
import type { RecordPlace, Source, SourceEntry, SourceSpec } from './source.ts';

const MEMORY_MIB = 1024;

export async function openParquet(
  spec: SourceSpec,
  name: string,
  files: readonly SourceFile[],
  windowBytes: number = WINDOW_BYTES,
): Promise<Source> {
  const root = files[0]?.root ?? spec.path;
  const imageRoot = spec.imageRoot ?? root;
  const { partBytes = PART_BYTES } = spec;
  const isLarge = files.some(({ bytes }) => bytes > partBytes);
  const parts = isLarge
    ? await allRowParts(files, (file) => join(root, file.name), partBytes)
    : files.map((file) => ({ name: file.name, file, from: 0, to: Number.POSITIVE_INFINITY }));
  const byName = new Map(parts.map((part) => [part.name, part]));
  return {
    format: 'parquet',
    spec,
    hash: hashFiles(files),
    shards: parts.map((part) => ({ name: part.name, count: undefined })),
    read: (shard) => {
      const part = byName.get(shard.name);
      if (part === undefined) throw new RangeError(`no shard ${shard.name} in ${spec.path}`);
      const context = { name, shard: part.file.name, imageRoot };
      return readPart(join(root, part.file.name), part, context, windowBytes);
    },
    again: (shard, places) => {
      const file = byName.get(shard.name)?.file.name ?? shard.name;
      const rows = rowsAgain(join(root, file), places, windowBytes);
      return samplesAgain(rows, { name, shard: file, imageRoot });
    },
  };
}

async function* rowsAgain(
  path: string,
  places: readonly RecordPlace[],
  windowBytes: number,
): AsyncGenerator<Row, void, undefined> {
  using columns = await openColumns({ memoryMiB: MEMORY_MIB });
  const names = [...(await parquetColumns(columns, path)).keys()];
  const only = places.map(({ start }) => start);
  let next = 0;
  for await (const fields of readParquetRows(columns, path, { names, only, windowBytes })) {
    yield rowOf(only[next] ?? -1, fields);
    next += 1;
  }
}

function rowOf(row: number, fields: ColumnRow): Row {
  return { place: String(row), at: { start: row }, record: { fields } };
}

async function* readPart(
  path: string,
  part: Part,
  context: RecordContext,
  windowBytes: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  using columns = await openColumns({ memoryMiB: MEMORY_MIB });
  const total = await countRows(columns, path);
  const expected = total === undefined ? undefined : Math.min(part.to, total) - part.from;
  yield* entriesOf(readRows(columns, path, part, windowBytes), context, expected);
}

/** Undefined when the file is no parquet at all: reading it then says why. */
async function countRows(columns: Columns, path: string): Promise<number | undefined> {
  try {
    return await countParquetRows(columns, path);
  } catch {
    return undefined;
  }
}

async function* readRows(
  columns: Columns,
  path: string,
  { from, to }: Part,
  windowBytes: number,
): AsyncGenerator<Row, void, undefined> {
  const names = [...(await parquetColumns(columns, path)).keys()];
  requireColumns(names);
  let row = from;
  for await (const fields of readParquetRows(columns, path, { names, from, to, windowBytes })) {
    yield rowOf(row, fields);
    row += 1;
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
