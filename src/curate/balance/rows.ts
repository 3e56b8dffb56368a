// Rows for balancing as columns: uid, language, concept ids. A batch at a time, never all in memory.

import { OneVisionError } from '../../core/errors.ts';
import { coin } from '../../core/hash.ts';
import { type Columns, type ColumnVectors, sqlName, sqlText } from '../../sample/columns.ts';

/** Some rows. The concepts of row i are `concepts[offsets[i] … offsets[i + 1])`. */
export interface RowBatch {
  readonly numRows: number;
  /** For messages. */
  readonly uid: (row: number) => string;
  /** In [0, 1), a hash of (uid, seed). */
  readonly coin: (row: number, seed: number) => number;
  /** '' where it is not known. */
  readonly language: (row: number) => string;
  /** [numRows + 1]. */
  readonly offsets: Uint32Array;
  readonly concepts: Int32Array;
}

/** Names of the columns in the files. */
export interface RowColumns {
  readonly uid?: string;
  /** A list of whole numbers below `numConcepts`. */
  readonly concepts?: string;
  readonly language?: string | undefined;
}

const STAGE = 'balance';

/** The coin of a row whose uid is a text, in [0, 1). */
export function coinOf(uid: string, seed: number): number {
  return coin(uid, seed, STAGE);
}

/**
 * The rows of parquet files, in their order, in batches of up to 2,048. A uid is a text, or a whole
 * number from 0 to 2^64, which is several times as fast to read.
 *
 * @throws OneVisionError 'data' for a file or a column that is missing, or a row without uid.
 */
export async function* readRowBatches(
  columns: Columns,
  files: readonly string[],
  { uid = 'uid', concepts = 'concepts', language }: RowColumns = {},
): AsyncGenerator<RowBatch, void, undefined> {
  const from = `FROM read_parquet([${files.map(sqlText).join(', ')}])`;
  const name = sqlName(uid);
  const isNumber = await isWholeNumber(columns, `SELECT typeof(${name}) AS type ${from} LIMIT 1`);
  const half = (value: string): string => `(${value}::BIGINT - 2147483648)::INTEGER`;
  const selected = [
    `coalesce(${sqlName(concepts)}::INTEGER[], [])`,
    language === undefined ? "''" : `coalesce(${sqlName(language)}::VARCHAR, '')`,
    ...(isNumber
      ? [half(`(${name}::UBIGINT >> 32)`), half(`(${name}::UBIGINT & 4294967295)`)]
      : [`${name}::VARCHAR`]),
  ];
  for await (const batch of columns.vectors(`SELECT ${selected.join(', ')} ${from}`)) {
    const { offsets, values } = batch.lists(0);
    const languages = language === undefined ? undefined : batch.texts(1);
    yield {
      numRows: batch.numRows,
      ...(isNumber ? numberUids(batch) : textUids(batch, uid)),
      language: (row) => languages?.(row) ?? '',
      offsets,
      concepts: values,
    };
  }
}

async function isWholeNumber(columns: Columns, sql: string): Promise<boolean> {
  for await (const [row] of columns.batches(sql)) return /INT/.test(String(row?.['type']));
  return false;
}

function textUids(batch: ColumnVectors, column: string): Pick<RowBatch, 'uid' | 'coin'> {
  const texts = batch.texts(2);
  const uid = (row: number): string => texts(row) ?? noUid(column);
  return { uid, coin: (row, seed) => coinOf(uid(row), seed) };
}

function numberUids(batch: ColumnVectors): Pick<RowBatch, 'uid' | 'coin'> {
  const [high, low] = [batch.integers(2), batch.integers(3)];
  return {
    uid: (row) => String((BigInt(high(row) + 2 ** 31) << 32n) + BigInt(low(row) + 2 ** 31)),
    coin: (row, seed) => coin(high(row), low(row), seed, STAGE),
  };
}

function noUid(column: string): never {
  throw new OneVisionError('data', 'expected a uid in every row, came one without', {
    hint: `fill the column ${column}, or name another one`,
  });
}
