// The rows of one table over several files, parquet or TSV, by their number: streamed, with a
// bounded number of bytes in memory. Only the columns that are wanted are read.
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import {
  type ColumnRow,
  type Columns,
  openColumns,
  sqlName,
  sqlText,
} from '../../sample/columns.ts';
import { countParquetRows, parquetColumns, readParquetRows } from '../../sample/parquet-rows.ts';
import type { HubFolder } from './hub-folder.ts';

export interface Table {
  readonly numRows: number;
  /** Rows [from, to) in order. @throws OneVisionError 'data' for a damaged file */
  read(from: number, to: number): AsyncGenerator<TableRow, void, undefined>;
  close(): void;
  [Symbol.dispose](): void;
}

export interface TableRow {
  readonly index: number;
  readonly fields: ColumnRow;
}

interface TableFile {
  readonly path: string;
  readonly numRows: number;
  read(from: number, to: number): AsyncGenerator<ColumnRow, void, undefined>;
}

/** Images in base64 make long lines. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** Less than the default: rows here are large, and few are needed at once. */
const WINDOW_BYTES = 32 * 1024 * 1024;
const MEMORY_MIB = 1024;

/**
 * Opens the files of a data set as one table.
 * @param required columns that must be there
 * @param optional columns that are read where they are
 * @throws OneVisionError 'data' naming the file and the missing columns
 */
export async function openTable(
  { folder, files }: HubFolder,
  required: readonly string[],
  optional: readonly string[] = [],
): Promise<Table> {
  const columns = await openColumns({ memoryMiB: MEMORY_MIB });
  try {
    const opened: TableFile[] = [];
    for (const name of files) {
      opened.push(await openFile(columns, join(folder, name), required, optional));
    }
    return tableOf(columns, opened);
  } catch (error) {
    columns.close();
    throw error;
  }
}

function tableOf(columns: Columns, files: readonly TableFile[]): Table {
  return {
    numRows: files.reduce((sum, { numRows }) => sum + numRows, 0),
    async *read(from, to) {
      let start = 0;
      for (const file of files) {
        let index = Math.max(from, start);
        const [low, high] = [index - start, Math.min(to - start, file.numRows)];
        if (low < high) {
          for await (const fields of file.read(low, high)) {
            yield { index, fields };
            index += 1;
          }
        }
        start += file.numRows;
      }
    },
    close: columns.close,
    [Symbol.dispose]: columns.close,
  };
}

async function openFile(
  columns: Columns,
  path: string,
  required: readonly string[],
  optional: readonly string[],
): Promise<TableFile> {
  const isText = path.endsWith('.tsv');
  const source =
    `read_csv(${sqlText(path)}, delim = '\\t', header = true, all_varchar = true, ` +
    `quote = '"', escape = '"', max_line_size = ${MAX_LINE_BYTES}, buffer_size = ${2 * MAX_LINE_BYTES}, parallel = false)`;
  const found = isText
    ? await textColumns(columns, source)
    : new Set((await parquetColumns(columns, path)).keys());
  const missing = required.filter((name) => !found.has(name));
  if (missing.length > 0) throw missingColumns(path, missing, [...found]);
  const names = [...required, ...optional.filter((name) => found.has(name))];
  if (!isText) {
    const numRows = await countParquetRows(columns, path);
    const read = (from: number, to: number): AsyncGenerator<ColumnRow, void, undefined> =>
      readParquetRows(columns, path, { names, from, to, windowBytes: WINDOW_BYTES });
    return { path, numRows, read };
  }
  const list = names.map(sqlName).join(', ');
  const count = await firstRow(columns, `SELECT count(*)::INTEGER AS n FROM ${source}`);
  return {
    path,
    numRows: Number(count?.['n'] ?? 0),
    async *read(from, to) {
      // One row at a time would scan the file again and again; many large ones would fill the memory.
      for (let at = from; at < to; at += TSV_ROWS) {
        const limit = Math.min(TSV_ROWS, to - at);
        const query = `SELECT ${list} FROM ${source} LIMIT ${limit} OFFSET ${at}`;
        for await (const batch of columns.batches(query)) yield* batch;
      }
    },
  };
}

const TSV_ROWS = 256;

async function textColumns(columns: Columns, source: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const batch of columns.batches(`DESCRIBE SELECT * FROM ${source}`)) {
    for (const row of batch) names.add(String(row['column_name']));
  }
  return names;
}

async function firstRow(columns: Columns, sql: string): Promise<ColumnRow | undefined> {
  for await (const [row] of columns.batches(sql)) return row;
  return undefined;
}

function missingColumns(
  path: string,
  missing: readonly string[],
  found: readonly string[],
): OneVisionError {
  return new OneVisionError(
    'data',
    `Expected the columns ${missing.join(', ')} in ${path}; it has ${found.slice(0, 30).join(', ')}.`,
    { hint: 'this is another data set or another revision of it: fetch the one that --list names' },
  );
}
