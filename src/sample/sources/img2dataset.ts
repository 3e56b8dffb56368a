// Source: what img2dataset wrote: archives or folders of `a.jpg`, `a.txt`, `a.json`, each with a table
// that also has the addresses that failed. Those are losses with their reason.
import { join } from 'node:path';
import { openColumns } from '../columns.ts';
import { groupByStem, readStems, type Stem, stemsAt } from './folder.ts';
import { extensionOf, hashFiles, type SourceFile } from './listing.ts';
import { entriesOf, type Row, samplesAgain } from './rows/entries.ts';
import { placeUid, type RecordContext } from './rows/record.ts';
import type { Source, SourceEntry, SourceShard, SourceSpec } from './source.ts';
import { readTarShard } from './webdataset.ts';

/** Whether a listing is img2dataset's: shards of digits, each with statistics or a table beside it. */
export function isImg2dataset(files: readonly SourceFile[]): boolean {
  return files.some(({ name }) => /^\d+_stats\.json$/.test(name));
}

export function openImg2dataset(
  spec: SourceSpec,
  name: string,
  files: readonly SourceFile[],
): Source {
  const names = new Set(files.map((file) => file.name));
  const shards = new Set<string>();
  for (const file of files) {
    if (/^\d+\.tar$/.test(file.name)) shards.add(file.name);
    else if (/^\d+\//.test(file.name)) shards.add(file.name.slice(0, file.name.indexOf('/')));
  }
  const root = files[0]?.root ?? spec.path;
  return {
    format: 'img2dataset',
    spec,
    hash: hashFiles(files),
    shards: [...shards].sort().map((shard) => ({ name: shard, count: undefined })),
    read: async function* (shard) {
      const context = { name, shard: shard.name, imageRoot: root };
      const path = join(root, shard.name);
      if (extensionOf(shard.name) === 'tar') yield* readTarShard(path, shard, context);
      else yield* entriesOf(withShortNames(readStems(stemsOf(files, shard))), context);
      const table = `${shard.name.replace(/\.tar$/, '')}.parquet`;
      if (names.has(table)) yield* failures(join(root, table), context);
    },
    again: (shard, places) => {
      const rows = withShortNames(readStems(stemsAt(stemsOf(files, shard), places)));
      return samplesAgain(rows, { name, shard: shard.name, imageRoot: root });
    },
  };
}

function stemsOf(files: readonly SourceFile[], shard: SourceShard): Stem[] {
  return groupByStem(files.filter((file) => file.name.startsWith(`${shard.name}/`)));
}

/** `00000/000000012` is the record 000000012 of the shard 00000. */
async function* withShortNames(rows: AsyncIterable<Row>): AsyncGenerator<Row, void, undefined> {
  for await (const row of rows) {
    const place = row.place.slice(row.place.lastIndexOf('/') + 1);
    yield row.record === undefined
      ? { ...row, place }
      : { ...row, place, record: { ...row.record, key: place } };
  }
}

async function* failures(
  table: string,
  context: RecordContext,
): AsyncGenerator<SourceEntry, void, undefined> {
  using columns = await openColumns();
  const sql = `SELECT key, status, error_message FROM read_parquet($1) WHERE status <> 'success'`;
  try {
    for await (const batch of columns.batches(sql, [table])) {
      for (const { key, status, error_message: message } of batch) {
        const reason = [status, message].filter((text) => typeof text === 'string').join(': ');
        yield { lost: { uid: placeUid(context, String(key)), reason, numSamples: 1 } };
      }
    }
  } catch {
    // A table of other columns says nothing about failures.
  }
}
