// Writing packs as tar shards with an index: sample records are fetched by byte range, nothing is
// decoded. A shard appears when it is whole; a killed run goes on after the last whole one.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createFileAtomic, writeFileAtomic } from '../core/files.ts';
import type { Journal } from '../core/journal.ts';
import type { ManifestFile } from '../sample/manifest.ts';
import type { SampleImage } from '../sample/sample.ts';
import { parseSampleJson } from '../sample/sample-json.ts';
import { encodeTarMember, TAR_END } from '../sample/tar.ts';
import { FilePool, sliceMembers } from './ranges.ts';
import { encodePack, type PackedSample, packKey } from './record.ts';

/** Where a drawn sample lies and what was counted for it. */
export interface SampleLocation {
  readonly path: string;
  readonly start: number;
  readonly size: number;
  readonly tokens: number;
  readonly patches: number;
  readonly copy: number;
}

export interface WritePacksOptions {
  readonly dir: string;
  readonly numPacks: number;
  /** The samples of a pack, in order. */
  readonly locate: (pack: number) => readonly SampleLocation[];
  readonly maxShardBytes: number;
  /** Finished shards; `write.ts` adds to it. */
  readonly journal: Journal;
  readonly onPack?: (pack: number) => void;
}

/** One finished shard and its index. */
interface ShardEntry {
  readonly numPacks: number;
  readonly files: readonly ManifestFile[];
}

/** Packs gathered in memory before they are written. */
const FLUSH_BYTES = 4 * 1024 * 1024;

/**
 * Writes all packs in order. Beside each `packs-000000.tar` lies `packs-000000.tar.idx`: n + 1
 * little-endian uint64 offsets, the first header of every pack and the end of the last one
 * (Megatron-Energon's index format).
 *
 * @throws OneVisionError 'data' when a sample is not where it was measured; 'disk'.
 */
export async function writePacks(options: WritePacksOptions): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  using pool = new FilePool();
  let first = 0;
  for (let shard = 0; first < options.numPacks; shard += 1) {
    const name = `packs-${String(shard).padStart(6, '0')}.tar`;
    const known = options.journal.get(name) as ShardEntry | undefined;
    const entry = known ?? (await writeShard(name, first, options, pool));
    if (known === undefined) options.journal.done(name, entry);
    files.push(...entry.files);
    first += entry.numPacks;
    options.onPack?.(first - 1);
  }
  return files;
}

async function writeShard(
  name: string,
  first: number,
  options: WritePacksOptions,
  pool: FilePool,
): Promise<ShardEntry> {
  await using file = await createFileAtomic(join(options.dir, name));
  const hash = createHash('sha256');
  const offsets: number[] = [0];
  let end = 0;
  let pending: Uint8Array[] = [];
  let numPending = 0;
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(pending);
    hash.update(bytes);
    await file.write(bytes);
    pending = [];
    numPending = 0;
  };
  const append = (bytes: Uint8Array): void => {
    pending.push(bytes);
    numPending += bytes.length;
  };
  for (let pack = first; pack < options.numPacks && end < options.maxShardBytes; pack += 1) {
    const samples = options.locate(pack).map((location) => fetchSample(location, pool));
    for (const part of encodePack(samples)) {
      const member = encodeTarMember(`${packKey(pack)}.${part.name}`, part.bytes);
      append(member);
      end += member.length;
    }
    offsets.push(end);
    options.onPack?.(pack);
    if (numPending >= FLUSH_BYTES) await flush();
  }
  append(TAR_END);
  await flush();
  const index = encodeIndex(offsets);
  await writeFileAtomic(join(options.dir, `${name}.idx`), index);
  await file.commit();
  const numPacks = offsets.length - 1;
  return {
    numPacks,
    files: [
      { name, bytes: end + TAR_END.length, sha256: hash.digest('hex'), count: numPacks },
      {
        name: `${name}.idx`,
        bytes: index.length,
        sha256: createHash('sha256').update(index).digest('hex'),
        count: offsets.length,
      },
    ],
  };
}

/** Reads a sample by its byte range, its images still encoded. */
export function fetchSample(location: SampleLocation, pool: FilePool): PackedSample {
  const { path, start, size, tokens, patches, copy } = location;
  const parts = new Map<string, Buffer>();
  for (const member of sliceMembers(pool.read(path, start, size), path)) {
    parts.set(member.part, member.bytes);
  }
  const record = parseSampleJson(parts.get('json') ?? Buffer.alloc(0));
  const images = record.images.map(
    (name): SampleImage => ({ name, bytes: parts.get(name) ?? Buffer.alloc(0) }),
  );
  return { ...record, images, tokens, patches, copy };
}

function encodeIndex(offsets: readonly number[]): Buffer {
  const bytes = Buffer.alloc(offsets.length * 8);
  offsets.forEach((offset, index) => {
    bytes.writeBigUInt64LE(BigInt(offset), index * 8);
  });
  return bytes;
}
