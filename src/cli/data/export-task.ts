// Export as a task of the shared contract: one shard of a source, its shards in the sink's format and a
// ledger row a record.
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { ensureFolder } from '../../core/files.ts';
import { type LedgerRow, lostRows, shardLedger, writeLedger } from '../../sample/ledger.ts';
import { SINK_FORMATS, type SinkFormat } from '../../sample/sinks/formats.ts';
import { createSink } from '../../sample/sinks/sink.ts';
import { openSource } from '../../sample/sources/open.ts';
import {
  type SourceEntry,
  type SourceSpec,
  sourceSpecSchema,
} from '../../sample/sources/source.ts';
import type { ShardFile, ShardWriter } from '../../sample/webdataset.ts';

export interface ExportConfig {
  readonly source: SourceSpec;
  readonly to: SinkFormat;
  readonly output: string;
  /** Folder of the ledger rows. */
  readonly rows: string;
  readonly configHash: string;
  readonly samplesPerShard: number;
}

/** What a shard leaves behind. */
export interface ExportResult {
  readonly files: readonly ShardFile[];
}

const configSchema: z.ZodType<ExportConfig> = z.strictObject({
  source: sourceSpecSchema,
  to: z.enum(SINK_FORMATS),
  output: z.string(),
  rows: z.string(),
  configHash: z.string(),
  samplesPerShard: z.number().int().min(1),
});

export const task: ShardTask = {
  open: async (given) => {
    const {
      source: spec,
      to,
      output,
      rows,
      configHash,
      samplesPerShard,
    } = configSchema.parse(given);
    const source = await openSource(spec);
    ensureFolder(rows);
    return {
      run: async (name): Promise<ExportResult> => {
        const number = source.shards.findIndex((shard) => shard.name === name);
        const shard = source.shards[number];
        if (shard === undefined) throw new Error(`no shard ${name} in ${spec.path}`);
        const prefix = `part-${String(number).padStart(6, '0')}`;
        const sink = createSink(to, output, { prefix, maxSamples: samplesPerShard });
        try {
          await writeLedger(
            shardLedger(rows, name),
            exportRows(source.read(shard), sink, configHash),
          );
          return { files: await sink.close() };
        } finally {
          await sink.abort();
        }
      },
    };
  },
};

async function* exportRows(
  entries: AsyncIterable<SourceEntry>,
  sink: ShardWriter,
  configHash: string,
): AsyncGenerator<LedgerRow, void, undefined> {
  const stage = 'export';
  for await (const { sample, lost } of entries) {
    if (sample !== undefined) {
      await sink.write(sample);
      yield { uid: sample.uid, stage, verdict: 'keep', reason: 'exported', configHash };
      continue;
    }
    yield* lostRows(lost, { stage, configHash });
  }
}
