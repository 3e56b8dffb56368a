// Where samples go: shards of some format, images inside. The same samples give the same shards.
import { createShardWriter, type ShardWriter, type ShardWriterOptions } from '../webdataset.ts';
import type { SinkFormat } from './formats.ts';
import { createJsonlWriter } from './jsonl.ts';
import { createParquetWriter } from './parquet.ts';

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
