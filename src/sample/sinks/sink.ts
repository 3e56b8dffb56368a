// Where samples go: shards of some format, images inside. The same samples give the same shards.
import { createShardWriter, type ShardWriter, type ShardWriterOptions } from '../webdataset.ts';
import { createJsonlWriter } from './jsonl.ts';
import { createParquetWriter } from './parquet.ts';

export const SINK_FORMATS = ['webdataset', 'parquet', 'jsonl'] as const;
export type SinkFormat = (typeof SINK_FORMATS)[number];

/** Open a writer of shards `{prefix}-{000000}.…` in `dir`, which is created. */
export function createSink(
  format: SinkFormat,
  dir: string,
  options: ShardWriterOptions = {},
): ShardWriter {
  if (format === 'parquet') return createParquetWriter(dir, options);
  if (format === 'jsonl') return createJsonlWriter(dir, options);
  return createShardWriter(dir, options);
}
