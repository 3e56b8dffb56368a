// Balancing of rows on disk: parquet with uid and concept ids in, a selection out. Two passes over
// the columns, a batch at a time; then each file is decided on by itself.
import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder, sha256File, sweepTemporary } from '../../core/files.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { createProgress } from '../../core/progress.ts';
import { type Columns, openColumns, sqlName, sqlText } from '../../sample/columns.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  type ManifestFile,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import type { BalanceConfig } from '../config.ts';
import { type Census, createCensus } from './census.ts';
import { type BalancePlan, createPlanner, type ExpectedSize } from './plan.ts';
import { type RowBatch, type RowColumns, readRowBatches } from './rows.ts';

export interface BalanceColumnsOptions {
  /** Parquet files with the columns uid, concepts and, for `metaclip-t`, language. */
  readonly files: readonly string[];
  /** Gets `selection-*.parquet` (uid, copies), one for each file, and a manifest. */
  readonly output: string;
  /** Concept ids are below this. */
  readonly numConcepts: number;
  readonly config: BalanceConfig;
  readonly seed: number;
  readonly columns?: RowColumns;
  /** Threads that decode the files; default 1. */
  readonly threads?: number;
  readonly log?: Logger;
  /** Told before the first row is written. */
  readonly onExpected?: (expected: ExpectedSize, census: Census) => void;
}

/**
 * Balance rows on disk. Memory: 12 bytes a concept (and 4 for each language of `metaclip-t`), and
 * 8 bytes a row when drawing without replacement; nothing else grows with the rows.
 *
 * @throws OneVisionError 'data' for missing files or columns, ids out of range, or no rows.
 */
export async function balanceColumns(options: BalanceColumnsOptions): Promise<Manifest> {
  const { files, output, config, seed, log = processLog } = options;
  const configHash = await hashInputs(options);
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  const census = createCensus(options.numConcepts, config.rule === 'metaclip-t');
  await eachBatch(options, 'count', (batch) => census.add(batch));
  const counted = census.take();
  if (counted.numRows === 0) {
    throw new OneVisionError('data', `expected rows in ${files.join(', ')}, came none`, {
      hint: 'match concepts first, and give the files it wrote',
    });
  }
  const planner = createPlanner(counted, config, seed);
  await eachBatch(options, 'weigh', (batch) => planner.add(batch));
  const plan = planner.plan();
  const { rows, distinct, deviation } = plan.expected;
  log.info(
    `balance ${config.rule}: ${Math.round(rows)} rows expected (± ${deviation.toFixed(0)}), ` +
      `${Math.round(distinct)} different, of ${counted.numRows}`,
  );
  options.onExpected?.(plan.expected, counted);
  const { written, numRows, numDistinct } = await writeSelections(
    options,
    plan,
    counted.numRows,
    configHash,
  );
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: 'selection',
    stage: 'balance',
    configHash,
    counts: { input: counted.numRows, rows: numRows, distinct: numDistinct },
    files: written,
    stats: {
      expected: { ...plan.expected },
      balance: { ...config },
      seed,
      ...(plan.thresholds === undefined ? {} : { t: Object.fromEntries(plan.thresholds) }),
    },
  };
  await writeManifest(output, manifest);
  return manifest;
}

async function hashInputs({ files, numConcepts, config, seed, columns }: BalanceColumnsOptions) {
  const sizes: [string, number, number][] = [];
  for (const file of files) {
    if (!existsSync(file)) {
      throw new OneVisionError('data', `expected a parquet file at ${file}, there is none`, {
        hint: 'check the path',
      });
    }
    const { size, mtimeMs } = await stat(file);
    sizes.push([basename(file), size, mtimeMs]);
  }
  return hashConfig('balance/2', sizes, numConcepts, config, seed, columns ?? {});
}

async function eachBatch(
  { files, columns, threads = 1 }: BalanceColumnsOptions,
  label: string,
  visit: (batch: RowBatch) => void,
): Promise<void> {
  using progress = createProgress({ label: `balance: ${label}`, unit: 'rows' });
  using session = await openColumns({ threads });
  for await (const batch of readRowBatches(session, files, columns)) {
    visit(batch);
    progress.increment(batch.numRows);
  }
}

interface Written {
  readonly written: ManifestFile[];
  readonly numRows: number;
  readonly numDistinct: number;
}

/** One selection file an input file; what a killed run of the same settings left is made again. */
async function writeSelections(
  options: BalanceColumnsOptions,
  plan: BalancePlan,
  numCounted: number,
  configHash: string,
): Promise<Written> {
  const { files, output, threads = 1 } = options;
  const written: ManifestFile[] = [];
  let [numRows, numDistinct, numSeen] = [0, 0, 0];
  using progress = createProgress({ label: 'balance: select', unit: 'rows' });
  for (const [index, file] of files.entries()) {
    // Two sessions: a statement on one would end the rows that are still coming from it.
    using session = await openColumns({ threads });
    using sink = await openColumns({ threads });
    await sink.run('CREATE TABLE selection (copies UINTEGER)');
    const appender = await sink.appendNumbers('selection');
    let [count, rows] = [0, 0];
    for await (const batch of readRowBatches(session, [file], options.columns)) {
      const copies = plan.copies(batch);
      for (const times of copies) {
        rows += times;
        if (times > 0) count += 1;
      }
      appender.add(copies);
      numSeen += batch.numRows;
      progress.increment(batch.numRows);
    }
    appender.close();
    const name = `selection-${String(index).padStart(6, '0')}.parquet`;
    const { bytes, sha256 } = await writeParquet(
      sink,
      selectionSql(file, options.columns),
      join(output, name),
      configHash,
    );
    written.push({ name, bytes, sha256, count });
    numRows += rows;
    numDistinct += count;
  }
  if (numSeen !== numCounted) {
    throw new OneVisionError('data', `expected ${numCounted} rows again, came ${numSeen}`, {
      hint: 'the files changed while they were read: run again',
    });
  }
  return { written, numRows, numDistinct };
}

/** The uids of a file beside the copies, row by row. */
function selectionSql(file: string, { uid = 'uid' }: RowColumns = {}): string {
  return (
    `SELECT uid, copies FROM (SELECT ${sqlName(uid)} AS uid FROM read_parquet(${sqlText(file)})) ` +
    'POSITIONAL JOIN selection WHERE copies > 0'
  );
}

async function writeParquet(
  session: Columns,
  sql: string,
  path: string,
  configHash: string,
): Promise<{ bytes: number; sha256: string }> {
  const temporary = `${path}.${configHash}.tmp`;
  await rm(temporary, { force: true });
  await session.run(`COPY (${sql}) TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd)`);
  await rename(temporary, path);
  return { bytes: (await stat(path)).size, sha256: await sha256File(path) };
}
