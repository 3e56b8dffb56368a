// Source: a folder of images, each with its words beside it (`a.jpg`, `a.txt` or `a.json`). A shard is
// a run of neighbours in the sorted list.

import { extensionOf, hashFiles, type SourceFile } from './listing.ts';
import { entriesOf, type Row, reasonOf, samplesAgain } from './rows/entries.ts';
import { readImageFile } from './rows/image-file.ts';
import { partKind, recordOfParts } from './rows/parts.ts';
import type { RecordPlace, Source, SourceShard, SourceSpec } from './source.ts';

const RECORDS_PER_SHARD = 1000;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Files of one stem. */
export interface Stem {
  readonly stem: string;
  readonly files: SourceFile[];
}

export function openFolder(spec: SourceSpec, name: string, files: readonly SourceFile[]): Source {
  const stems = groupByStem(files);
  const numShards = Math.ceil(stems.length / RECORDS_PER_SHARD);
  const shards = Array.from({ length: numShards }, (_, i) => ({
    name: `part-${String(i).padStart(6, '0')}`,
    count: Math.min(RECORDS_PER_SHARD, stems.length - i * RECORDS_PER_SHARD),
  }));
  const stemsOf = (shard: SourceShard): Stem[] => {
    const from = RECORDS_PER_SHARD * Number(shard.name.slice(shard.name.lastIndexOf('-') + 1));
    return stems.slice(from, from + RECORDS_PER_SHARD);
  };
  return {
    format: 'folder',
    spec,
    hash: hashFiles(files),
    shards,
    read: (shard) => {
      const rows = readStems(stemsOf(shard));
      return entriesOf(rows, { name, imageRoot: spec.path }, shard.count);
    },
    again: (shard, places) => {
      const rows = readStems(stemsAt(stemsOf(shard), places));
      return samplesAgain(rows, { name, imageRoot: spec.path });
    },
  };
}

/** The stems whose places are asked for. */
export function stemsAt(stems: readonly Stem[], places: readonly RecordPlace[]): Stem[] {
  return places.map(({ start }) => {
    const stem = stems[start];
    if (stem === undefined) throw new Error('its files are not there');
    return stem;
  });
}

export function groupByStem(files: readonly SourceFile[]): Stem[] {
  const stems = new Map<string, SourceFile[]>();
  for (const file of files) {
    const extension = extensionOf(file.name);
    const stem = extension === '' ? file.name : file.name.slice(0, -extension.length - 1);
    const list = stems.get(stem);
    if (list === undefined) stems.set(stem, [file]);
    else list.push(file);
  }
  return [...stems].map(([stem, list]) => ({ stem, files: list }));
}

/** The records of some stems, for other formats that keep them as files. */
export async function* readStems(stems: readonly Stem[]): AsyncGenerator<Row, void, undefined> {
  for (const [start, { stem, files }] of stems.entries()) {
    const place = { place: stem, at: { start } };
    try {
      yield { ...place, record: recordOfParts(await readParts(files), stem) };
    } catch (error) {
      yield { ...place, reason: reasonOf(error) };
    }
  }
}

async function readParts(files: readonly SourceFile[]): Promise<Map<string, Uint8Array>> {
  const kinds = files.map(({ name }) => partKind(name));
  if (kinds.every((kind) => kind === 'other')) throw new Error('neither a picture nor its words');
  if (!kinds.includes('image')) throw new Error('no picture beside the words');
  if (kinds.indexOf('image') !== kinds.lastIndexOf('image')) {
    throw new Error('several pictures of one name');
  }
  const parts = new Map<string, Uint8Array>();
  for (const [i, { root, name, bytes }] of files.entries()) {
    if (kinds[i] === 'other') continue;
    if (kinds[i] !== 'image' && bytes > MAX_TEXT_BYTES) throw new Error(`${bytes} bytes of text`);
    parts.set(name.slice(name.lastIndexOf('/') + 1), await readImageFile(root, name));
  }
  return parts;
}
