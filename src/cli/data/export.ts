// Samples of any source → shards in another format, over several processes, with ledger and manifest.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, runShards } from '../../cluster/run-shards.ts';
import { ensureFolder, sweepTemporary } from '../../core/files.ts';
import type { Logger } from '../../core/log.ts';
import { LEDGER, type LedgerRow, readShardLedgers, writeLedger } from '../../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import type { SinkFormat } from '../../sample/sinks/formats.ts';
import { openSource } from '../../sample/sources/open.ts';
import type { SourceSpec } from '../../sample/sources/source.ts';
import type { ExportConfig, ExportResult } from './export-task.ts';

export interface ExportOptions {
  readonly to: SinkFormat;
  readonly output: string;
  readonly workers: number;
  readonly cluster?: Cluster | undefined;
  readonly samplesPerShard: number;
  readonly log: Logger;
}

/** The result does not depend on the number of processes; a killed export goes on. */
export async function exportData(spec: SourceSpec, options: ExportOptions): Promise<Manifest> {
  const { to, output, workers, cluster, samplesPerShard, log } = options;
  const source = await openSource(spec);
  const configHash = hashConfig('export/1', source.hash, spec.name ?? null, to, samplesPerShard);
  const dir = join(output, `work-${configHash}`);
  if (isComplete(output, configHash)) {
    rmSync(dir, { recursive: true, force: true }); // a kill may have come between the manifest and this
    return readManifest(output);
  }
  ensureFolder(output);
  sweepTemporary(output);
  const rows = join(dir, 'rows');
  const config: ExportConfig = { source: spec, to, output, rows, configHash, samplesPerShard };
  const { href: module } = new URL('./export-task.ts', import.meta.url);
  const shards = source.shards.map(({ name }) => name);
  const results = await runShards(
    { name: 'export', module, config, shards },
    { dir, workers, cluster, log },
  );
  const counts = { input: 0, lost: 0 };
  await writeLedger(join(output, LEDGER), counted(readShardLedgers(rows, shards), counts));
  const files = results.flatMap((result) => (result as ExportResult).files);
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: to === 'webdataset' ? 'samples' : `samples-${to}`,
    stage: 'export',
    configHash,
    counts: { samples: files.reduce((sum, file) => sum + file.count, 0), ...counts },
    files,
    stats: {},
  };
  await writeManifest(output, manifest);
  rmSync(dir, { recursive: true, force: true });
  return manifest;
}

async function* counted(
  rows: AsyncIterable<LedgerRow>,
  counts: { input: number; lost: number },
): AsyncGenerator<LedgerRow, void, undefined> {
  for await (const row of rows) {
    counts.input += 1;
    if (row.verdict === 'error') counts.lost += 1;
    yield row;
  }
}
