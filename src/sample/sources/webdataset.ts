// Source: WebDataset tar archives, ours (with a manifest or our JSON) and others' (`a.jpg`, `a.txt`,
// `a.json`). One archive a shard; a record has its byte range.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashConfig, MANIFEST, readManifest } from '../manifest.ts';
import { listShards, sampleOfRecord } from '../shards/read-samples.ts';
import { readRecords, type TarRecord } from '../shards/records.ts';
import { hashFiles, type SourceFile } from './listing.ts';
import { entriesOf, type Row, reasonOf } from './rows/entries.ts';
import { recordOfParts } from './rows/parts.ts';
import type { RecordContext } from './rows/record.ts';
import type { Source, SourceEntry, SourceShard, SourceSpec } from './source.ts';

export function openWebdataset(
  spec: SourceSpec,
  name: string,
  files: readonly SourceFile[],
): Source {
  const root = files[0]?.root ?? spec.path;
  const isOurs = existsSync(join(root, MANIFEST));
  const all = files.map((file) => ({ name: file.name, count: undefined }));
  return {
    format: 'webdataset',
    spec,
    hash: isOurs ? hashConfig(readManifest(root).files) : hashFiles(files),
    shards: isOurs ? listShards(root) : all,
    read: (shard) => {
      const context = { name, shard: shard.name, imageRoot: root };
      return readTarShard(join(root, shard.name), shard, context);
    },
    again: nothingAgain,
  };
}

/** Records of archives are fetched by their bytes, not asked for. */
// biome-ignore lint/correctness/useYield: there is nothing to yield.
export async function* nothingAgain(): AsyncGenerator<never, void, undefined> {
  throw new Error('its record is in an archive');
}

/** The entries of one archive. Ours and foreign records are told apart one by one. */
export function readTarShard(
  path: string,
  shard: SourceShard,
  context: RecordContext,
): AsyncGenerator<SourceEntry, void, undefined> {
  return entriesOf(readRows(path), context, shard.count);
}

async function* readRows(path: string): AsyncGenerator<Row, void, undefined> {
  for await (const record of readRecords(path)) {
    const { key, start, size } = record;
    yield { place: key, ...read(record), at: { archive: path, start, size } };
  }
}

function read(record: TarRecord): Pick<Row, 'sample' | 'record' | 'reason'> {
  if (record.oversize) return { reason: 'the record is too large' };
  try {
    return { sample: sampleOfRecord(record) };
  } catch (error) {
    if (isOurRecord(record)) return { reason: reasonOf(error) };
  }
  try {
    return { record: recordOfParts(record.parts, record.key) };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** Our JSON says group and split, whatever else is wrong with it. */
export function isOurRecord({ parts }: Pick<TarRecord, 'parts'>): boolean {
  const json = parts.get('json');
  return json?.includes('"group":') === true && json.includes('"split":');
}
