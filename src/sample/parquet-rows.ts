// Rows of a parquet file in order, a bounded number of bytes at a time: row groups of thousands of
// images are asked for in pieces. Says nothing of what the columns mean.
import { type ColumnRow, type Columns, sqlName } from './columns.ts';

/** The engine hands out so many rows at once; they should not be more bytes than a window. */
const BATCH_ROWS = 2048;
export const WINDOW_BYTES: number = 128 * 1024 * 1024;

export interface ReadRowsOptions {
  /** Columns wanted; default all. */
  readonly names?: readonly string[];
  /** Rows [from, to) of the file; default all. */
  readonly from?: number;
  readonly to?: number;
  /** Only these rows, rising; row groups without one of them are passed over. */
  readonly only?: readonly number[];
  /** Bytes of rows asked for at once. */
  readonly windowBytes?: number;
}

/** Column name → type as the engine has it. @throws OneVisionError 'data' for no parquet file. */
export async function parquetColumns(columns: Columns, path: string): Promise<Map<string, string>> {
  const schema = await allRows(columns, 'DESCRIBE SELECT * FROM read_parquet($1)', [path]);
  return new Map(schema.map((row) => [String(row['column_name']), String(row['column_type'])]));
}

/** From the footer alone. @throws OneVisionError 'data' for no parquet file. */
export async function countParquetRows(columns: Columns, path: string): Promise<number> {
  const sql = 'SELECT num_rows FROM parquet_file_metadata($1)';
  const rows = await allRows(columns, sql, [path]);
  return Number(rows[0]?.['num_rows'] ?? 0);
}

/** The rows in the order of the file. @throws OneVisionError 'data' for a damaged file. */
export async function* readParquetRows(
  columns: Columns,
  path: string,
  options: ReadRowsOptions = {},
): AsyncGenerator<ColumnRow, void, undefined> {
  const { from = 0, to = Number.POSITIVE_INFINITY, windowBytes = WINDOW_BYTES } = options;
  const list = options.names?.map(sqlName).join(', ') ?? '* EXCLUDE (file_row_number)';
  const select = `SELECT ${list} FROM read_parquet($1, file_row_number = true)`;
  const groups = await rowGroups(columns, path, windowBytes);
  const wheres =
    options.only === undefined ? windows(groups, from, to) : pieces(groups, options.only);
  for (const where of wheres) {
    for await (const batch of columns.batches(`${select} WHERE ${where}`, [path])) yield* batch;
  }
}

interface RowGroup {
  readonly numRows: number;
  /** Rows that may be asked for at once, by the sizes in the file's footer. */
  readonly step: number;
}

async function rowGroups(columns: Columns, path: string, windowBytes: number): Promise<RowGroup[]> {
  const groups = await allRows(
    columns,
    `SELECT any_value(row_group_num_rows) AS n, sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata($1) GROUP BY row_group_id ORDER BY row_group_id`,
    [path],
  );
  return groups.map((group) => {
    const numRows = Number(group['n']);
    const rowBytes = Math.max(1, Number(group['bytes']) / Math.max(1, numRows));
    const step = Math.max(1, Math.min(BATCH_ROWS, Math.floor(windowBytes / rowBytes)));
    return { numRows, step };
  });
}

/**
 * Rows [from, to) in ranges to ask for one after the other. One, unless a batch of rows would be too
 * large: images in row groups of thousands.
 */
function* windows(groups: readonly RowGroup[], from: number, to: number): Generator<string> {
  const range = (low: number, high: number): string =>
    `file_row_number >= ${low} AND file_row_number < ${high}`;
  const isLarge = groups.some(({ numRows, step }) => step < Math.min(BATCH_ROWS, numRows));
  let start = 0;
  for (const { numRows, step } of groups) {
    for (let at = start; isLarge && at < start + numRows; at += step) {
      const low = Math.max(at, from);
      const high = Math.min(at + step, start + numRows, to);
      if (low < high) yield range(low, high);
    }
    start += numRows;
  }
  if (!isLarge && from < Math.min(start, to)) yield range(from, Math.min(start, to));
}

/** Some rows in pieces; the engine passes over the row groups outside of a piece's values. */
function* pieces(groups: readonly RowGroup[], rows: readonly number[]): Generator<string> {
  const step = groups.reduce((least, group) => Math.min(least, group.step), BATCH_ROWS);
  for (let at = 0; at < rows.length; at += step) {
    yield `file_row_number IN (${rows.slice(at, at + step).join(', ')})`;
  }
}

async function allRows(
  columns: Columns,
  sql: string,
  values: readonly string[],
): Promise<ColumnRow[]> {
  const rows: ColumnRow[] = [];
  for await (const batch of columns.batches(sql, values)) rows.push(...batch);
  return rows;
}
