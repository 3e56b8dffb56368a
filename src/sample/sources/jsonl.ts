// Source: JSON lines (or one JSON array) of messages, LLaVA conversations or captions, with images
// by path below a root. One file a shard, a large file of lines several; a record has the byte range
// of its JSON.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type JsonSlice,
  type LineRange,
  MAX_VALUE_BYTES,
  readArray,
  readLines,
  startsArray,
} from './lines.ts';
import { hashFiles, type SourceFile } from './listing.ts';
import { byteParts, lineCounter, PART_BYTES, type Part } from './parts.ts';
import { entriesOf, type Row, samplesAgain } from './rows/entries.ts';
import type { RecordPlace, Source, SourceSpec } from './source.ts';

export function openJsonl(spec: SourceSpec, name: string, files: readonly SourceFile[]): Source {
  const root = files[0]?.root ?? spec.path;
  const imageRoot = spec.imageRoot ?? root;
  const { partBytes = PART_BYTES } = spec;
  const parts = files.flatMap((file) => byteParts(file, join(root, file.name), partBytes));
  const byName = new Map(parts.map((part) => [part.name, part]));
  const counters = new Map<string, (before: number) => Promise<number>>();
  return {
    format: 'jsonl',
    spec,
    hash: hashFiles(files),
    shards: parts.map((part) => ({ name: part.name, count: undefined })),
    read: (shard) => {
      const part = byName.get(shard.name);
      if (part === undefined) throw new RangeError(`no shard ${shard.name} in ${spec.path}`);
      const path = join(root, part.file.name);
      const count = counters.get(path) ?? lineCounter(path);
      counters.set(path, count);
      return entriesOf(readRows(path, part, count), { name, shard: part.file.name, imageRoot });
    },
    again: (shard, places) => {
      const file = byName.get(shard.name)?.file.name ?? shard.name;
      const rows = rowsAgain(join(root, file), places);
      return samplesAgain(rows, { name, shard: file, imageRoot });
    },
  };
}

async function* rowsAgain(
  path: string,
  places: readonly RecordPlace[],
): AsyncGenerator<Row, void, undefined> {
  const file = await open(path, 'r');
  try {
    for (const { start, size = 0, number = 0 } of places) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, start);
      if (bytesRead < size) throw new Error('the file ends before');
      yield parse({ number, start, size, bytes: buffer });
    }
  } finally {
    await file.close();
  }
}

async function* readRows(
  path: string,
  { from, to }: Part,
  countLines: (before: number) => Promise<number>,
): AsyncGenerator<Row, void, undefined> {
  const isWhole = from === 0 && to === Number.POSITIVE_INFINITY;
  const range = async (): Promise<LineRange> => ({ from, to, numBefore: await countLines(from) });
  const slices =
    isWhole && (await startsArray(path)) ? readArray(path) : readLines(path, await range());
  for await (const slice of slices) {
    if (slice.size === 0) continue;
    yield parse(slice);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The object of a slice, its fields as they are, or why there is none. */
export function parse({ number, start, size, bytes }: JsonSlice): Row {
  const place = { place: String(number), at: { start, size, number } };
  if (bytes === undefined) {
    return { ...place, reason: `more than ${MAX_VALUE_BYTES} bytes of JSON` };
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { ...place, reason: 'the JSON is not valid UTF-8' };
  }
  if (text.trim() === '') return { ...place, reason: 'the line is blank' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ...place, reason: 'the JSON does not parse' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ...place, reason: 'the JSON is not an object' };
  }
  return { ...place, record: { fields: value as Record<string, unknown> } };
}
