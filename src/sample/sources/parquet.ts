// Source: parquet files as Hugging Face keeps them: a column of images (struct {bytes, path}, plain
// bytes, paths, or lists of these) beside captions, messages or conversations. One file a shard.
import { join } from 'node:path';
import { type Columns, openColumns } from '../columns.ts';
import {
  countParquetRows,
  parquetColumns,
  readParquetRows,
  WINDOW_BYTES,
} from '../parquet-rows.ts';
import { hashFiles, type SourceFile } from './listing.ts';
import { entriesOf, type Row } from './rows/entries.ts';
import { fieldName } from './rows/fields.ts';
import type { RecordContext } from './rows/record.ts';
import type { Source, SourceEntry, SourceSpec } from './source.ts';

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
    return await countParquetRows(columns, path);
  } catch {
    return undefined;
  }
}

async function* readRows(
  columns: Columns,
  path: string,
  windowBytes: number,
): AsyncGenerator<Row, void, undefined> {
  const names = [...(await parquetColumns(columns, path)).keys()];
  requireColumns(names);
  let row = 0;
  for await (const fields of readParquetRows(columns, path, { names, windowBytes })) {
    yield { place: String(row), record: { fields } };
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
