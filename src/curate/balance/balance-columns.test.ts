// Balancing of parquet rows: the same choice as in memory, whatever the files; sizes; bad input.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { balance } from '../../../test/support/balance.ts';
import { createRandom } from '../../core/hash.ts';
import { silentLog } from '../../core/log.ts';
import { openColumns, sqlText } from '../../sample/columns.ts';
import { type BalanceConfig, balanceSchema } from '../config.ts';
import { balanceColumns } from './balance-columns.ts';

const root = mkdtempSync(join(tmpdir(), 'balance-columns-'));
after(() => rmSync(root, { recursive: true }));

const random = createRandom('balance columns');
const NUM_CONCEPTS = 60;
const items = Array.from({ length: 5000 }, (_, i) => {
  const draw = (): number => Math.floor(NUM_CONCEPTS * random.next() ** 3);
  const concepts = [...new Set(Array.from({ length: random.int(5) }, draw))];
  return { uid: `row ${i}'`, concepts, language: random.pick(['en', 'en', 'zh']) };
});

async function writeRows(name: string, from: number, to: number): Promise<string> {
  const [lines, file] = [join(root, `${name}.jsonl`), join(root, `${name}.parquet`)];
  writeFileSync(
    lines,
    items
      .slice(from, to)
      .map((row) => JSON.stringify(row))
      .join('\n'),
  );
  using columns = await openColumns();
  await columns.run(
    `COPY (SELECT * FROM read_json(${sqlText(lines)}, columns = {uid: 'VARCHAR',
       concepts: 'BIGINT[]', language: 'VARCHAR'})) TO ${sqlText(file)} (FORMAT parquet)`,
  );
  return file;
}

const whole = await writeRows('whole', 0, 5000);
const parts = [
  await writeRows('a', 0, 1),
  await writeRows('b', 1, 3333),
  await writeRows('c', 3333, 5000),
];

async function run(name: string, files: readonly string[], own: Partial<BalanceConfig>) {
  const output = join(root, name);
  const config = balanceSchema.parse(own);
  const columns = { language: 'language' };
  const options = { files, output, numConcepts: NUM_CONCEPTS, config, seed: 3, columns };
  const manifest = await balanceColumns({ ...options, log: silentLog });
  const copies = new Map<string, number>();
  using session = await openColumns();
  for (const file of manifest.files) {
    const sql = `SELECT * FROM read_parquet(${sqlText(join(output, file.name))})`;
    for await (const rows of session.batches(sql)) {
      for (const row of rows) copies.set(String(row['uid']), Number(row['copies']));
    }
  }
  return { manifest, copies };
}

test('every rule chooses from files what it chooses in memory, however they are cut', async () => {
  const rules: Partial<BalanceConfig>[] = [
    { target: 0.3 },
    { target: 0.3, aggregate: 'mean' },
    { target: 2.5, replacement: true },
    { rule: 'metaclip-t', tailShare: 0.2 },
    { rule: 'uniform', target: 0.25 },
  ];
  const named = items.map((item) => ({ ...item, concepts: item.concepts.map(String) }));
  for (const [i, own] of rules.entries()) {
    const { copies: expected, expected: sizes } = balance(named, balanceSchema.parse(own), 3);
    const wanted = new Map(
      items.flatMap(({ uid }, row): [string, number][] => {
        const times = expected[row] ?? 0;
        return times > 0 ? [[uid, times]] : [];
      }),
    );
    const one = await run(`one-${i}`, [whole], own);
    const three = await run(`three-${i}`, parts, own);
    assert.deepEqual(one.copies, wanted);
    assert.deepEqual(three.copies, wanted);
    const { rows = 0, distinct } = one.manifest.counts;
    assert.equal(distinct, wanted.size);
    const error = Math.abs(rows - sizes.rows);
    assert.ok(error <= 4 * sizes.deviation + 1e-9, `${rows} rows, ${sizes.rows} expected`);
    if (own.replacement !== true && own.target !== undefined) assert.equal(error, 0);
  }
});

test('a uid that is a whole number of 64 bits has a coin of its own and comes back as it is', async () => {
  const file = join(root, 'numbers.parquet');
  using session = await openColumns();
  await session.run(
    `COPY (SELECT (18446744073709551615 - i * 4294967297)::UBIGINT AS uid, [(i % 7)::INTEGER] AS
       concepts FROM range(3000) r(i)) TO ${sqlText(file)} (FORMAT parquet)`,
  );
  const options = { files: [file], numConcepts: 7, config: balanceSchema.parse({ target: 0.5 }) };
  const output = join(root, 'numbers');
  const { files, counts } = await balanceColumns({ ...options, output, seed: 1, log: silentLog });
  assert.deepEqual([counts['rows'], counts['distinct']], [1500, 1500]);
  const path = sqlText(join(output, files[0]?.name ?? ''));
  const uids: bigint[] = [];
  for await (const rows of session.batches(`SELECT uid FROM read_parquet(${path})`)) {
    uids.push(...rows.map((row) => row['uid'] as bigint));
  }
  assert.equal(new Set(uids).size, 1500);
  for (const uid of uids) assert.equal((18446744073709551615n - uid) % 4294967297n, 0n);
  assert.ok(uids.some((uid) => uid > 2n ** 63n));
});

test('a finished selection is not made again', async () => {
  const { manifest } = await run('again', parts, { target: 0.1 });
  rmSync(join(root, 'again', 'selection-000001.parquet'));
  const second = await run('again', parts, { target: 0.1 });
  assert.deepEqual(second.manifest, manifest, 'a missing file is made anew, the same');
});

test('bad input is named', async () => {
  const config = balanceSchema.parse({});
  const base = { output: join(root, 'bad'), numConcepts: 60, config, seed: 0, log: silentLog };
  const attempt = (own: Partial<Parameters<typeof balanceColumns>[0]>): Promise<unknown> =>
    balanceColumns({ files: [whole], ...base, ...own });
  await assert.rejects(attempt({ files: [join(root, 'none.parquet')] }), /parquet file at/);
  await assert.rejects(attempt({ numConcepts: 3 }), /concept ids from 0 to 2, came/);
  await assert.rejects(attempt({ columns: { concepts: 'tags' } }), /columns: .*tags/);
  await assert.rejects(attempt({ columns: { uid: 'id' } }), /columns: .*id/);
  using session = await openColumns();
  const empty = join(root, 'empty.parquet');
  await session.run(
    `COPY (SELECT 'a' AS uid, [1] AS concepts WHERE false) TO ${sqlText(empty)} (FORMAT parquet)`,
  );
  await assert.rejects(attempt({ files: [empty] }), /expected rows in/);
});
