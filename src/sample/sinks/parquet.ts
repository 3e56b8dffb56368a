// Sink: parquet as Hugging Face keeps image data sets: a list of {bytes, path} structs, messages as
// structs, and the footer that says so. A shard is one file, held until it is full.
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileAtomic, ensureFolder, sha256File } from '../../core/files.ts';
import {
  blobValue,
  type Columns,
  type DuckDBValue,
  listValue,
  openColumns,
  sqlText,
  structValue,
} from '../columns.ts';
import type { Sample } from '../sample.ts';
import type { ShardFile, ShardWriter, ShardWriterOptions } from '../webdataset.ts';

const MAX_BYTES = 128 * 1024 * 1024;
/** DuckDB needs a few times the bytes of a file to write it as one row group. */
const MEMORY_MIB = 2048;
const BATCH_BYTES = 16 * 1024 * 1024;

const TABLE = `CREATE TABLE samples (uid VARCHAR, source VARCHAR, "group" VARCHAR, split VARCHAR,
  images STRUCT(bytes BLOB, path VARCHAR)[], messages STRUCT("role" VARCHAR, "content" VARCHAR)[],
  meta VARCHAR)`;

const text = { dtype: 'string', _type: 'Value' };
const FEATURES = {
  info: {
    features: {
      uid: text,
      source: text,
      group: text,
      split: text,
      images: [{ _type: 'Image' }],
      messages: [{ role: text, content: text }],
      meta: text,
    },
  },
};

interface OpenFile {
  readonly columns: Columns;
  readonly name: string;
  bytes: number;
  count: number;
  pending: DuckDBValue[][];
  pendingBytes: number;
}

export function createParquetWriter(dir: string, options: ShardWriterOptions = {}): ShardWriter {
  const { prefix = 'shard', maxBytes = MAX_BYTES, maxSamples = Infinity, firstShard = 0 } = options;
  const finished: ShardFile[] = [];
  let current: OpenFile | undefined;
  ensureFolder(dir);
  const begin = async (): Promise<OpenFile> => {
    const columns = await openColumns({ memoryMiB: MEMORY_MIB });
    await columns.run(TABLE);
    const name = `${prefix}-${String(firstShard + finished.length).padStart(6, '0')}.parquet`;
    return { columns, name, bytes: 0, count: 0, pending: [], pendingBytes: 0 };
  };
  const abort = async (): Promise<void> => {
    current?.columns.close();
    current = undefined;
  };
  const finish = async (): Promise<void> => {
    if (current === undefined) return;
    await flush(current);
    finished.push(await writeFile(current, dir));
    await abort();
  };
  return {
    write: async (sample) => {
      const size = sizeOf(sample);
      if (current !== undefined) {
        if (current.count >= maxSamples || current.bytes + size > maxBytes) await finish();
      }
      current ??= await begin();
      current.pending.push(rowOf(sample));
      current.pendingBytes += size;
      current.bytes += size;
      current.count += 1;
      if (current.pendingBytes >= BATCH_BYTES) await flush(current);
    },
    close: async () => {
      await finish();
      return finished;
    },
    abort,
  };
}

function sizeOf({ images, messages }: Sample): number {
  const bytes = images.reduce((sum, image) => sum + image.bytes.byteLength, 0);
  return messages.reduce((sum, { content }) => sum + content.length, bytes + 256);
}

function rowOf({ uid, source, group, split, images, messages, meta }: Sample): DuckDBValue[] {
  return [
    uid,
    source,
    group,
    split,
    listValue(
      images.map(({ name, bytes }) => structValue({ bytes: blobValue(bytes), path: name })),
    ),
    listValue(messages.map(({ role, content }) => structValue({ role, content }))),
    JSON.stringify(meta),
  ];
}

async function flush(file: OpenFile): Promise<void> {
  await file.columns.insert('samples', file.pending);
  file.pending = [];
  file.pendingBytes = 0;
}

/** The engine writes where it likes; the bytes then go under their name at once. */
async function writeFile({ columns, name, count }: OpenFile, dir: string): Promise<ShardFile> {
  const temporary = join(tmpdir(), `onevision-${process.pid}-${name}`);
  try {
    await columns.run(
      `COPY samples TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd,
        KV_METADATA {huggingface: ${sqlText(JSON.stringify(FEATURES))}})`,
    );
    const sha256 = await sha256File(temporary);
    const { size: bytes } = await stat(temporary);
    await using file = await createFileAtomic(join(dir, name));
    for await (const chunk of createReadStream(temporary) as AsyncIterable<Buffer>) {
      await file.write(chunk);
    }
    await file.commit();
    return { name, bytes, sha256, count };
  } finally {
    await rm(temporary, { force: true });
  }
}
