// Parquet out and in: values, order over batches, text as SQL, and named errors.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { type ColumnRow, openColumns, sqlName, sqlText } from './columns.ts';

const dir = mkdtempSync(join(tmpdir(), "onevision-columns-it's-"));

async function all(batches: AsyncGenerator<readonly ColumnRow[]>): Promise<ColumnRow[]> {
  const rows: ColumnRow[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

test('what is written as parquet comes back, in order, over several batches', async () => {
  using columns = await openColumns({ threads: 2 });
  const file = join(dir, 'a.parquet');
  await columns.run(
    `COPY (SELECT i::INT AS ${sqlName('the "i"')}, 'é' || i AS t, 2 * i AS wide,
      {'bytes': encode('b' || i)} AS image, [i, i + 1] AS list FROM range(5000) r(i))
     TO ${sqlText(file)} (FORMAT parquet)`,
  );
  const rows = await all(columns.batches('SELECT * FROM read_parquet($1)', [file]));
  assert.equal(rows.length, 5000);
  for (const [i, row] of rows.entries()) {
    assert.equal(row['the "i"'], i);
    assert.equal(row['t'], `é${i}`);
    assert.equal(row['wide'], BigInt(2 * i));
    assert.deepEqual(row['list'], [BigInt(i), BigInt(i + 1)]);
    const { bytes } = row['image'] as { bytes: Uint8Array };
    assert.equal(Buffer.from(bytes).toString(), `b${i}`);
  }
});

test('other statements and streams of the session do not end a stream', async () => {
  using columns = await openColumns();
  await columns.run('CREATE TABLE numbers AS SELECT i FROM range(10000) r(i)');
  const outer = columns.batches('SELECT i FROM numbers');
  let seen = 0;
  for await (const batch of outer) {
    seen += batch.length;
    await columns.run('CREATE OR REPLACE TABLE other AS SELECT 1 AS one');
    const inner = await all(columns.batches('SELECT count(*) AS n FROM numbers, other'));
    assert.equal(inner[0]?.['n'], 10000n);
    for await (const values of columns.columnBatches('SELECT i FROM numbers LIMIT 1')) {
      assert.equal(values[0]?.length, 1);
    }
  }
  assert.equal(seen, 10_000);
});

test('a missing, a damaged and a too large input are named errors', async () => {
  using columns = await openColumns({ memoryMiB: 64 });
  const read = (file: string): Promise<ColumnRow[]> =>
    all(columns.batches('SELECT * FROM read_parquet($1)', [file]));
  const code =
    (expected: string) =>
    (error: unknown): boolean =>
      error instanceof OneVisionError && error.code === expected;
  await assert.rejects(read(join(dir, 'none.parquet')), code('data'));
  writeFileSync(join(dir, 'bad.parquet'), 'PAR1 no');
  await assert.rejects(read(join(dir, 'bad.parquet')), code('data'));
  await assert.rejects(
    all(columns.batches('SELECT list(i) FROM range(30000000) r(i)')),
    code('memory'),
  );
});
