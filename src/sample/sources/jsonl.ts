// Source: JSON lines (or one JSON array) of messages, LLaVA conversations or captions, with images
// by path below a root. One file a shard; a record has the byte range of its JSON.
import { join } from 'node:path';
import { type JsonSlice, MAX_VALUE_BYTES, readArray, readLines, startsArray } from './lines.ts';
import { hashFiles, type SourceFile } from './listing.ts';
import { entriesOf, type Row } from './rows/entries.ts';
import type { Source, SourceSpec } from './source.ts';

export function openJsonl(spec: SourceSpec, name: string, files: readonly SourceFile[]): Source {
  const root = files[0]?.root ?? spec.path;
  const imageRoot = spec.imageRoot ?? root;
  return {
    format: 'jsonl',
    spec,
    hash: hashFiles(files),
    shards: files.map((file) => ({ name: file.name, count: undefined })),
    read: (shard) =>
      entriesOf(readRows(join(root, shard.name)), { name, shard: shard.name, imageRoot }),
  };
}

async function* readRows(path: string): AsyncGenerator<Row, void, undefined> {
  const slices = (await startsArray(path)) ? readArray(path) : readLines(path);
  for await (const slice of slices) {
    if (slice.size === 0) continue;
    yield { ...parse(slice), range: { path, start: slice.start, size: slice.size } };
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The object of a slice, its fields as they are, or why there is none. */
export function parse({ number, bytes }: JsonSlice): Row {
  const place = String(number);
  if (bytes === undefined) return { place, reason: `more than ${MAX_VALUE_BYTES} bytes of JSON` };
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { place, reason: 'the JSON is not valid UTF-8' };
  }
  if (text.trim() === '') return { place, reason: 'the line is blank' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { place, reason: 'the JSON does not parse' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { place, reason: 'the JSON is not an object' };
  }
  return { place, record: { fields: value as Record<string, unknown> } };
}
