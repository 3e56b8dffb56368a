// Columns on disk (parquet and the like) through DuckDB: queries in, rows out in batches, spilling
// to disk beyond its memory. Nothing but DuckDB's built-in extensions; never the network.
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBIntegerVector,
  DuckDBListVector,
  type DuckDBResult,
  type DuckDBValue,
  DuckDBVarCharVector,
} from '@duckdb/node-api';
import { OneVisionError } from '../core/errors.ts';

export { blobValue, type DuckDBValue, listValue, structValue } from '@duckdb/node-api';

/** One row: column name → JavaScript value. 64-bit integers come as bigint, blobs as bytes. */
export type ColumnRow = Readonly<Record<string, unknown>>;

export interface ColumnOptions {
  /** Memory of the engine before it spills to `spillDir`. Default 1024. */
  readonly memoryMiB?: number;
  /** Default 1, so that a worker process takes one core. */
  readonly threads?: number;
  /** Folder for what does not fit into memory; without it a query that is too large fails. */
  readonly spillDir?: string;
}

/** A batch of up to 2,048 rows by column. */
export interface ColumnVectors {
  readonly numRows: number;
  /** A VARCHAR column as a function of the row; null where there is none. */
  texts(column: number): (row: number) => string | null;
  /** An INTEGER column without gaps, as a function of the row. */
  integers(column: number): (row: number) => number;
  /** An INTEGER[] column: the values of row i are `values[offsets[i] … offsets[i + 1])`. */
  lists(column: number): { readonly offsets: Uint32Array; readonly values: Int32Array };
}

/** A DuckDB session of its own, in memory. */
export interface Columns {
  /** Runs a statement for its effect, e.g. `COPY (…) TO '…'`. `values` fill `$1`, `$2`, … */
  run(sql: string, values?: readonly DuckDBValue[]): Promise<void>;
  /** Rows of a query in batches of up to 2,048, in order, one batch in memory at a time. */
  batches(
    sql: string,
    values?: readonly DuckDBValue[],
  ): AsyncGenerator<readonly ColumnRow[], void, undefined>;
  /** The same by columns, for millions of numbers: `result[column][row]`, as DuckDB gives them. */
  columnBatches(
    sql: string,
    values?: readonly DuckDBValue[],
  ): AsyncGenerator<readonly (readonly DuckDBValue[])[], void, undefined>;
  /** Adds rows to a table that exists. Each row has the table's columns in order. */
  insert(
    table: string,
    rows: Iterable<readonly DuckDBValue[]> | AsyncIterable<readonly DuckDBValue[]>,
  ): Promise<void>;
  /** The same rows as columns: no object for each row, for hundreds of millions of them. */
  vectors(
    sql: string,
    values?: readonly DuckDBValue[],
  ): AsyncGenerator<ColumnVectors, void, undefined>;
  /** Opens a table of one UINTEGER column for many numbers. Close it before the table is read. */
  appendNumbers(table: string): Promise<NumberAppender>;
  close(): void;
  [Symbol.dispose](): void;
}

export interface NumberAppender {
  /** Up to 2,048 at once. */
  add(values: Uint32Array): void;
  close(): void;
}

/** Rows that DuckDB takes at once. */
const CHUNK_ROWS = 2048;

/** Opens a session. Row order is the order of the files, whatever the number of threads. */
export async function openColumns(options: ColumnOptions = {}): Promise<Columns> {
  const { memoryMiB = 1024, threads = 1, spillDir } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryMiB}MiB`,
    threads: String(threads),
    temp_directory: spillDir ?? '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  await connection.run('SET lock_configuration = true');
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  return {
    run: async (sql, values) => {
      await guard(() => connection.run(sql, values === undefined ? undefined : [...values]), sql);
    },
    batches: (sql, values) => partsOf(instance, sql, values, rowsOf),
    columnBatches: (sql, values) => streamColumns(instance, sql, values),
    insert: (table, rows) => guard(() => insert(connection, table, rows), `insert into ${table}`),
    vectors: (sql, values) => streamVectors(instance, sql, values),
    appendNumbers: (table) => guard(() => appendNumbers(connection, table), `append to ${table}`),
    close,
    [Symbol.dispose]: close,
  };
}

async function appendNumbers(connection: DuckDBConnection, table: string): Promise<NumberAppender> {
  const appender = await connection.createAppender(table);
  return {
    add: (values) => {
      const chunk = DuckDBDataChunk.create([appender.columnType(0)], values.length);
      chunk.setColumnValues(0, Array.from(values));
      appender.appendDataChunk(chunk);
    },
    close: () => appender.closeSync(),
  };
}

/**
 * Parts of the result of a query, in order. Each query has a connection of its own: another
 * statement on the same one would end the stream without a word.
 */
async function* partsOf<T>(
  instance: DuckDBInstance,
  sql: string,
  values: readonly DuckDBValue[] | undefined,
  open: (result: DuckDBResult) => () => Promise<T | undefined>,
): AsyncGenerator<T, void, undefined> {
  const connection = await guard(() => instance.connect(), sql);
  try {
    const bound = values === undefined ? undefined : [...values];
    const next = open(await guard(() => connection.stream(sql, bound), sql));
    for (;;) {
      const part = await guard(next, sql);
      if (part === undefined) return;
      yield part;
    }
  } finally {
    connection.closeSync();
  }
}

function rowsOf(result: DuckDBResult): () => Promise<readonly ColumnRow[] | undefined> {
  const rows = result.yieldRowObjectJs();
  return async () => {
    const next = await rows.next();
    return next.done === true ? undefined : next.value;
  };
}

function chunksOf(result: DuckDBResult): () => Promise<DuckDBDataChunk | undefined> {
  return async () => {
    const chunk = await result.fetchChunk();
    return chunk === null || chunk.rowCount === 0 ? undefined : chunk;
  };
}

async function* streamColumns(
  instance: DuckDBInstance,
  sql: string,
  values: readonly DuckDBValue[] | undefined,
): AsyncGenerator<readonly (readonly DuckDBValue[])[], void, undefined> {
  for await (const chunk of partsOf(instance, sql, values, chunksOf)) yield chunk.getColumns();
}

async function insert(
  connection: DuckDBConnection,
  table: string,
  rows: Iterable<readonly DuckDBValue[]> | AsyncIterable<readonly DuckDBValue[]>,
): Promise<void> {
  const appender = await connection.createAppender(table);
  const types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
  let pending: (readonly DuckDBValue[])[] = [];
  const flush = (): void => {
    if (pending.length === 0) return;
    const chunk = DuckDBDataChunk.create(types, pending.length);
    chunk.setRows(pending);
    appender.appendDataChunk(chunk);
    pending = [];
  };
  for await (const row of rows) {
    pending.push(row);
    if (pending.length === CHUNK_ROWS) flush();
  }
  flush();
  appender.closeSync();
}

async function* streamVectors(
  instance: DuckDBInstance,
  sql: string,
  values: readonly DuckDBValue[] | undefined,
): AsyncGenerator<ColumnVectors, void, undefined> {
  for await (const chunk of partsOf(instance, sql, values, chunksOf)) {
    const numRows = chunk.rowCount;
    yield {
      numRows,
      texts: (column) => {
        const vector = chunk.getColumnVector(column);
        if (!(vector instanceof DuckDBVarCharVector)) throw wrongColumn('VARCHAR', column, sql);
        return (row) => vector.getItem(row);
      },
      integers: (column) => {
        const vector = chunk.getColumnVector(column);
        if (!(vector instanceof DuckDBIntegerVector)) throw wrongColumn('INTEGER', column, sql);
        return (row) => vector.getItem(row) ?? Number.NaN;
      },
      lists: (column) => {
        const vector = chunk.getColumnVector(column);
        if (!(vector instanceof DuckDBListVector)) throw wrongColumn('INTEGER[]', column, sql);
        return flatten(vector, numRows, () => wrongColumn('INTEGER[]', column, sql));
      },
    };
  }
}

/** The lists of a column one after the other. A row must not be null: `coalesce` it in the query. */
function flatten(
  vector: DuckDBListVector,
  numRows: number,
  wrong: () => RangeError,
): { offsets: Uint32Array; values: Int32Array } {
  const child = vector.childVector;
  if (!(child instanceof DuckDBIntegerVector)) throw wrong();
  const offsets = new Uint32Array(numRows + 1);
  const values = new Int32Array(child.itemCount);
  let filled = 0;
  for (let row = 0; row < numRows; row++) {
    const start = vector.getEntryOffset(row);
    const length = vector.getEntryLength(row);
    for (let i = 0; i < length; i++) values[filled++] = child.getItem(start + i) ?? -1;
    offsets[row + 1] = filled;
  }
  return { offsets, values };
}

function wrongColumn(expected: string, column: number, sql: string): RangeError {
  return new RangeError(`expected ${expected} as column ${column} of: ${sql}`);
}

/** A string as an SQL literal, for the places where DuckDB takes no `$1` (`COPY … TO`). */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column name as SQL takes it. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function guard<T>(work: () => Promise<T>, sql: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const shown = sql.length > 120 ? `${sql.slice(0, 117)}…` : sql;
    if (/out of memory/i.test(message ?? '')) {
      throw new OneVisionError('memory', `columns: ${message} (in: ${shown})`, {
        hint: 'give openColumns more memoryMiB, or a spillDir',
        cause: error,
      });
    }
    const full = /no space left|disk full/i.test(message ?? '');
    throw new OneVisionError(full ? 'disk' : 'data', `columns: ${message} (in: ${shown})`, {
      hint: full ? 'free some space on that disk (df -h) and run again' : 'check the file named',
      cause: error,
    });
  }
}
