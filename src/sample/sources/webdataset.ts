// Source: a folder of WebDataset tar archives, with its manifest where it has one.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { hashConfig, MANIFEST, readManifest } from '../manifest.ts';
import { listShards, sampleOfRecord } from '../shards/read-samples.ts';
import { readRecords } from '../shards/records.ts';
import type { Source, SourceEntry, SourceShard, SourceSpec } from './source.ts';

export function openWebdataset(spec: SourceSpec): Source {
  const shards = listShards(spec.path);
  if (shards.length === 0) {
    throw new OneVisionError('data', `Expected shards (*.tar) in ${spec.path}; there are none.`, {
      hint: 'run the stage that fills this folder, or check the path',
    });
  }
  return {
    format: 'webdataset',
    spec,
    hash: hashFolder(spec.path, shards),
    shards,
    read: (shard) => readEntries(join(spec.path, shard.name), shard),
  };
}

function hashFolder(dir: string, shards: readonly SourceShard[]): string {
  if (existsSync(join(dir, MANIFEST))) return hashConfig(readManifest(dir).files);
  return hashConfig(shards.map(({ name }) => [name, statSync(join(dir, name)).size]));
}

async function* readEntries(
  path: string,
  shard: SourceShard,
): AsyncGenerator<SourceEntry, void, undefined> {
  let numSeen = 0;
  let damage = 'fewer samples than its manifest says';
  let isDamaged = false;
  try {
    for await (const record of readRecords(path)) {
      numSeen += 1;
      try {
        const { start, size } = record;
        yield { sample: sampleOfRecord(record), range: { path, start, size } };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        yield { lost: { uid: `${shard.name}:${record.key}`, reason, numSamples: 1 } };
      }
    }
  } catch (error) {
    if (!(error instanceof OneVisionError)) throw error;
    isDamaged = true;
    damage = error.message;
  }
  const numMissing = Math.max(isDamaged ? 1 : 0, (shard.count ?? 0) - numSeen);
  if (numMissing > 0) {
    yield { lost: { uid: `${shard.name}:rest`, reason: damage, numSamples: numMissing } };
  }
}
