// Table of addresses → samples in shards, one ledger row an address. Batches that are done stay done;
// a retry asks only for addresses that failed in a way that may pass.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ensureFolder, sweepTemporary, writeFileAtomic } from '../../core/files.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { mapConcurrent } from '../../core/pool.ts';
import { createProgress } from '../../core/progress.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../ledger.ts';
import { hashConfig, MANIFEST, type Manifest, writeManifest } from '../manifest.ts';
import type { Sample } from '../sample.ts';
import { placeUid, toSample } from '../sources/rows/record.ts';
import { createShardWriter, type ShardFile } from '../webdataset.ts';
import { FetchFailure, type FetchOptions, fetchImage, hasSha256 } from './fetch-image.ts';
import { createHosts, type Hosts } from './hosts.ts';
import { openUrlTable, type UrlRow } from './table.ts';

export interface DownloadOptions {
  readonly table: string;
  readonly output: string;
  /** SQL condition on the columns of the table. */
  readonly where?: string | undefined;
  /** Source of the samples; default: name of the table. */
  readonly name?: string | undefined;
  readonly perHost?: number;
  readonly concurrency?: number;
  readonly delayMs?: number;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly userAgent?: string;
  readonly rowsPerShard?: number;
  /** Addresses that are not public and may be asked all the same. */
  readonly allow?: readonly string[];
  readonly log?: Logger;
}

/** What became of one address. */
interface Outcome {
  readonly uid: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly again: boolean;
  readonly sample?: Sample;
}

/** The state of a batch on the disk, written when its shard is. */
interface BatchState {
  readonly files: readonly ShardFile[];
  readonly outcomes: readonly Omit<Outcome, 'sample'>[];
}

const STAGE = 'download';

/**
 * Fetch the images of a table. Running it again fetches the batches that are missing and tries the
 * failures that may pass (time-outs, 429, 5xx, broken connections) once more; nothing else.
 */
export async function download(options: DownloadOptions): Promise<Manifest> {
  const { output, rowsPerShard = 1000, log = processLog } = options;
  const table = openUrlTable(options.table, options.where);
  const configHash = hashConfig('download/1', table.hash, options.where ?? null, rowsPerShard);
  const folder = join(output, `state-${configHash}`);
  ensureFolder(folder);
  sweepTemporary(output);
  sweepTemporary(folder);
  rmSync(join(output, MANIFEST), { force: true });
  const job = createJob(options);
  const batches: BatchState[][] = [];
  using progress = createProgress({ label: STAGE, unit: 'addresses' });
  let number = 0;
  for await (const rows of table.rows(rowsPerShard)) {
    const passes = readPasses(folder, number);
    const done = new Map(
      passes.flatMap((pass) => pass.outcomes.map((row) => [row.uid, row] as const)),
    );
    const left = rows.filter((row) => done.get(uidOf(row, job.name))?.again !== false);
    if (left.length > 0) {
      const state = await runBatch(left, job, output, number, passes.length);
      await writeFileAtomic(stateFile(folder, number, passes.length), JSON.stringify(state));
      passes.push(state);
    }
    progress.increment(rows.length, summary(passes));
    batches.push(passes);
    number += 1;
  }
  const counts: Record<string, number> = {};
  await writeLedger(join(output, LEDGER), ledgerRows(batches, configHash, counts));
  const files = batches.flat().flatMap((pass) => pass.files);
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: 'samples',
    stage: STAGE,
    configHash,
    counts: { samples: files.reduce((sum, file) => sum + file.count, 0), ...counts },
    files,
    stats: {},
  };
  await writeManifest(output, manifest);
  log.info('downloaded', manifest.counts);
  return manifest;
}

interface Job {
  readonly name: string;
  readonly hosts: Hosts;
  readonly window: number;
  readonly fetch: FetchOptions;
  readonly imageRoot: string;
}

function createJob(options: DownloadOptions): Job {
  const { perHost = 2, concurrency = 64, delayMs = 100 } = options;
  return {
    name: options.name ?? basename(resolve(options.table)).replace(/\.[^.]+$/, ''),
    hosts: createHosts({ perHost, total: concurrency, delayMs }),
    window: concurrency * 8,
    fetch: {
      timeoutMs: options.timeoutMs ?? 20_000,
      maxBytes: options.maxBytes ?? 20 * 1024 * 1024,
      userAgent: options.userAgent ?? 'onevision-download/0.1',
      allow: options.allow ?? [],
    },
    imageRoot: options.output,
  };
}

async function runBatch(
  rows: readonly UrlRow[],
  job: Job,
  output: string,
  number: number,
  pass: number,
): Promise<BatchState> {
  const prefix = `${String(number).padStart(5, '0')}-${pass}`;
  const writer = createShardWriter(output, { prefix });
  const outcomes: Omit<Outcome, 'sample'>[] = [];
  try {
    for await (const outcome of mapConcurrent(rows, job.window, (row) => fetchRow(row, job))) {
      const { sample, ...rest } = outcome;
      if (sample !== undefined) await writer.write(sample);
      outcomes.push(rest);
    }
    return { files: await writer.close(), outcomes };
  } finally {
    await writer.abort();
  }
}

async function fetchRow(row: UrlRow, job: Job): Promise<Outcome> {
  const uid = uidOf(row, job.name);
  const failed = (reason: string, again = false): Outcome => ({ uid, ok: false, reason, again });
  if (row.url === undefined) return failed('no address');
  const host = hostOf(row.url);
  try {
    const bytes = await job.hosts.run(host, () => fetchImage(row.url ?? '', job.fetch));
    if (row.sha256 !== undefined && !hasSha256(bytes, row.sha256))
      return failed('other bytes (sha256)');
    const context = { name: job.name, imageRoot: job.imageRoot };
    const sample = await toSample({ fields: row.fields, images: [bytes], key: row.place }, context);
    return { uid, ok: true, reason: 'fetched', again: false, sample: { ...sample, uid } };
  } catch (error) {
    if (!(error instanceof FetchFailure))
      return failed(error instanceof Error ? error.message : String(error));
    if (error.waitMs > 0) job.hosts.rest(host, error.waitMs);
    return failed(error.message, error.again);
  }
}

/** By place: a table may name one `uid` twice. The table's own is in `meta`. */
function uidOf(row: UrlRow, name: string): string {
  return placeUid({ name, imageRoot: '' }, row.place);
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '';
}

function stateFile(folder: string, number: number, pass: number): string {
  return join(folder, `${String(number).padStart(5, '0')}-${pass}.json`);
}

function readPasses(folder: string, number: number): BatchState[] {
  const passes: BatchState[] = [];
  for (let pass = 0; existsSync(stateFile(folder, number, pass)); pass += 1) {
    // Written by this very stage, whole or not at all.
    passes.push(JSON.parse(readFileSync(stateFile(folder, number, pass), 'utf8')) as BatchState);
  }
  return passes;
}

function summary(passes: readonly BatchState[]): string {
  const last = new Map(
    passes.flatMap((pass) => pass.outcomes.map((row) => [row.uid, row] as const)),
  );
  const numOk = [...last.values()].filter((row) => row.ok).length;
  return `${numOk} of the last ${last.size}`;
}

/** One row an address: what the last pass made of it. */
function* ledgerRows(
  batches: readonly (readonly BatchState[])[],
  configHash: string,
  counts: Record<string, number>,
): Generator<LedgerRow, void, undefined> {
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const passes of batches) {
    const last = new Map(
      passes.flatMap((pass) => pass.outcomes.map((row) => [row.uid, row] as const)),
    );
    for (const { uid, ok, reason, again } of last.values()) {
      count('input');
      if (!ok) count(again ? 'mayPass' : 'failed');
      yield { uid, stage: STAGE, verdict: ok ? 'keep' : 'error', reason, configHash };
    }
  }
}
