// The lengths of one source shard as a parquet file: one row a record, those that gave no sample with
// the reason. Written here; table.ts reads many of them.

import { rename } from 'node:fs/promises';
import type { DuckDBValue } from '@duckdb/node-api';
import { openColumns, sqlText } from '../../sample/columns.ts';

/** A sample that was measured. */
export interface LengthRow {
  readonly uid: string;
  readonly source: string;
  readonly tokens: number;
  readonly patches: number;
  readonly images: number;
  /** First letters of the roles of its messages: `sua`. */
  readonly roles: string;
  /** Archive of its record; null where the record was laid into a temporary one by measuring. */
  readonly path: string | null;
  /** Its range of bytes in the archive. */
  readonly start: number;
  readonly size: number;
  /** Seeded hash of the uid; decides who is drawn into a mix. */
  readonly coin: number;
}

/** Records that gave no sample. */
export interface LostRow {
  readonly uid: string;
  readonly reason: string;
  readonly numSamples: number;
}

const COLUMNS = `shard UINTEGER, row UINTEGER, uid VARCHAR, source VARCHAR, tokens UINTEGER, patches UINTEGER, images USMALLINT,
  roles VARCHAR, path VARCHAR, start UBIGINT, size UINTEGER, coin UINTEGER, lost VARCHAR,
  samples UINTEGER`;

/** Writes the file; it appears under its name when it is whole. The same rows give the same bytes. */
export async function writeLengthsFile(
  path: string,
  shard: number,
  rows: readonly (LengthRow | LostRow)[],
): Promise<void> {
  using columns = await openColumns({ memoryMiB: 512 });
  await columns.run(`CREATE TABLE lengths (${COLUMNS})`);
  await columns.insert(
    'lengths',
    rows.map((row, index) => [shard, index, ...toValues(row)]),
  );
  const temporary = `${path}.tmp`;
  await columns.run(
    `COPY lengths TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`,
  );
  await rename(temporary, path);
}

function toValues(row: LengthRow | LostRow): DuckDBValue[] {
  if ('reason' in row) {
    const { uid, reason, numSamples } = row;
    return [uid, null, null, null, null, null, null, null, null, null, reason, numSamples];
  }
  const { uid, source, tokens, patches, images, roles, path, start, size, coin } = row;
  const range = [path, BigInt(start), size];
  return [uid, source, tokens, patches, images, roles, ...range, coin, null, 1];
}
