// Tables of addresses (COYO, LAION, DataComp, img2dataset: parquet, JSON lines, CSV, TSV), row by row.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { type Columns, openColumns } from '../columns.ts';
import { extensionOf, hashFiles, listFiles, oneFile, type SourceFile } from '../sources/listing.ts';
import { type Fields, field, fieldName, idText } from '../sources/rows/fields.ts';

/** A row: an address and what the table says about it. */
export interface UrlRow {
  /** File of the table and number of the row in it. */
  readonly place: string;
  readonly url: string | undefined;
  readonly sha256: string | undefined;
  readonly fields: Fields;
}

export interface UrlTable {
  readonly hash: string;
  /** In batches of the size asked for, the last of a file smaller. */
  rows(batchSize: number): AsyncGenerator<UrlRow[], void, undefined>;
}

const READERS: Readonly<Record<string, string>> = {
  parquet: 'read_parquet($1)',
  csv: 'read_csv($1, all_varchar = true)',
  tsv: `read_csv($1, all_varchar = true, delim = '\t')`,
  jsonl: 'read_ndjson_auto($1)',
};

/**
 * Open a table: one file, or all of a folder.
 * @param where an SQL condition on its columns, e.g. `width >= 200 AND similarity > 0.3`.
 * @throws OneVisionError 'data' when there is no table; and, while reading, when it has no address.
 */
export function openUrlTable(path: string, where?: string): UrlTable {
  const all = !existsSync(path)
    ? []
    : statSync(path).isDirectory()
      ? listFiles(path)
      : [oneFile(path)];
  const files = all.filter(({ name }) => extensionOf(name) in READERS);
  if (files.length === 0) {
    throw new OneVisionError('data', `Expected a table of addresses at ${path}, got none.`, {
      hint: `it may be ${Object.keys(READERS).join(', ')}, or a folder of these`,
    });
  }
  return {
    hash: hashFiles(files),
    rows: async function* (batchSize) {
      using columns = await openColumns();
      for (const file of files) yield* readFile(columns, file, where, batchSize);
    },
  };
}

async function* readFile(
  columns: Columns,
  { root, name }: SourceFile,
  where: string | undefined,
  batchSize: number,
): AsyncGenerator<UrlRow[], void, undefined> {
  const condition = where === undefined ? '' : ` WHERE (${where})`;
  const sql = `SELECT * FROM ${READERS[extensionOf(name)]}${condition}`;
  let batch: UrlRow[] = [];
  let number = 0;
  for await (const rows of columns.batches(sql, [join(root, name)])) {
    for (const fields of rows) {
      if (number === 0 && fieldName(Object.keys(fields), 'url') === undefined) {
        throw new OneVisionError(
          'data',
          `Expected a column of addresses in ${name}, got only ` +
            `${Object.keys(fields).join(', ')}.`,
        );
      }
      batch.push({
        place: `${name}:${number}`,
        url: idText(field(fields, 'url')) === undefined ? undefined : String(field(fields, 'url')),
        sha256: sha256Of(fields),
        fields,
      });
      number += 1;
      if (batch.length < batchSize) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function sha256Of(fields: Fields): string | undefined {
  const value = field(fields, 'sha256');
  return typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value) ? value : undefined;
}
