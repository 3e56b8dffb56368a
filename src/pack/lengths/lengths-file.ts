// The lengths of one source shard as a parquet file: one row a record, those that gave no sample with
// the reason. Written here; table.ts reads many of them.

import type { DuckDBValue } from '@duckdb/node-api';
import { fillFileAtomic } from '../../core/files.ts';
import { openColumns, sqlText } from '../../sample/columns.ts';
import type { RecordPlace } from '../../sample/sources/source.ts';

/** A sample that was measured. */
export interface LengthRow {
  readonly uid: string;
  readonly source: string;
  readonly tokens: number;
  readonly patches: number;
  readonly images: number;
  /** First letters of the roles of its messages: `sua`. */
  readonly roles: string;
  /** Where it is read again; see `RecordPlace`. */
  readonly at: RecordPlace;
  /** n where its uid ends in `~n`, as others of its shard have the same name; else 1. */
  readonly repeat: number;
  /** Bytes that it takes in a shard of packs, about. */
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
  roles VARCHAR, archive VARCHAR, start UBIGINT, span UINTEGER, number UINTEGER, repeat UINTEGER,
  size UINTEGER, coin UINTEGER, lost VARCHAR, samples UINTEGER`;

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
  await fillFileAtomic(path, (temporary) =>
    columns.run(
      `COPY lengths TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`,
    ),
  );
}

function toValues(row: LengthRow | LostRow): DuckDBValue[] {
  if ('reason' in row) {
    const { uid, reason, numSamples } = row;
    return [uid, ...new Array<null>(12).fill(null), reason, numSamples];
  }
  const { uid, source, tokens, patches, images, roles, at, repeat, size, coin } = row;
  const place = [at.archive ?? null, BigInt(at.start), at.size ?? null, at.number ?? null];
  const more = repeat === 1 ? null : repeat;
  return [uid, source, tokens, patches, images, roles, ...place, more, size, coin, null, 1];
}
