// The shard format of samples in one place: WebDataset tar archives, written and read.
export {
  listShards,
  type ReadSamplesOptions,
  readSamples,
  readShard,
} from './shards/read-samples.ts';
export {
  createShardWriter,
  type ShardFile,
  type ShardWriter,
  type ShardWriterOptions,
  shardKey,
} from './shards/shard-writer.ts';
