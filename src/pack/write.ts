// Writing packs: placements for every shard, then shards in parallel. Records are fetched by byte
// range, nothing is decoded; a shard appears when it is whole.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, runShards } from '../cluster/run-shards.ts';
import { ensureFolder, sweepTemporary } from '../core/files.ts';
import type { Logger } from '../core/log.ts';
import type { ManifestFile } from '../sample/manifest.ts';
import type { Source } from '../sample/sources/source.ts';
import type { LayoutName } from './layouts/layout.ts';
import { layoutOf } from './layouts/layouts.ts';
import type { SampleTable } from './lengths/table.ts';
import type { Draws } from './mixture.ts';
import {
  allocatePlacement,
  type Placement,
  placementPath,
  writePlacement,
} from './write/placement.ts';
import type { WriteConfig } from './write/write-task.ts';

/** The samples of pack p are the draws `members[starts[p] … starts[p + 1]]`. */
export interface PackMembers {
  readonly starts: Uint32Array;
  readonly members: Uint32Array;
}

export interface WritePacksOptions {
  readonly dir: string;
  /** Folder of the piece of work, named after its settings. */
  readonly work: string;
  readonly packs: PackMembers;
  readonly draws: Draws;
  readonly table: SampleTable;
  readonly sources: readonly Pick<Source, 'spec'>[];
  readonly layout: LayoutName;
  readonly maxShardBytes: number;
  readonly workers: number;
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

/** Packs of one shard at most, as in the sets that others release. */
const MAX_SHARD_PACKS = 10_000;
/** What the record of a pack takes beside the records of its samples, about. */
const PACK_BYTES = 1024;

/**
 * Writes all packs in order, in as many processes as asked for. Shards that are finished are not
 * written again.
 *
 * @throws OneVisionError 'data' when a sample is not where it was measured; 'disk'.
 */
export async function writePacks(options: WritePacksOptions): Promise<ManifestFile[]> {
  const { dir, work, workers, cluster, log } = options;
  const placements = join(work, 'placements');
  ensureFolder(placements);
  sweepTemporary(placements);
  sweepTemporary(dir);
  const { prefix } = layoutOf(options.layout);
  const shards: string[] = [];
  for (const [from, to] of shardRanges(options)) {
    const name = `${prefix}-${String(shards.length).padStart(6, '0')}`;
    await writePlacement(placementPath(placements, name), placementOf(from, to, options));
    shards.push(name);
  }
  removeOthers(dir, prefix, shards);
  const { archives } = options.table;
  const sources = options.sources.map(({ spec }) => spec);
  const { layout } = options;
  const config: WriteConfig = { placements, output: dir, sources, archives, layout };
  const spec = {
    name: 'pack',
    module: new URL('./write/write-task.ts', import.meta.url).href,
    config,
    shards,
  };
  const files = await runShards(spec, { dir: join(work, 'write'), workers, cluster, log });
  sweepTemporary(dir); // once more: of processes that outlived a killed parent for a moment
  return (files as ManifestFile[][]).flat();
}

/** First and last pack of each shard: as many as are about `maxShardBytes`. */
function* shardRanges({
  packs,
  draws,
  table,
  maxShardBytes,
}: WritePacksOptions): Generator<[number, number]> {
  const numPacks = packs.starts.length - 1;
  let from = 0;
  let bytes = 0;
  for (let pack = 0; pack < numPacks; pack += 1) {
    let size = PACK_BYTES;
    for (const draw of packs.members.subarray(packs.starts[pack], packs.starts[pack + 1])) {
      size += table.sizes[draws.samples[draw] ?? 0] ?? 0;
    }
    if (pack > from && (bytes + size > maxShardBytes || pack - from >= MAX_SHARD_PACKS)) {
      yield [from, pack];
      from = pack;
      bytes = 0;
    }
    bytes += size;
  }
  if (numPacks > from) yield [from, numPacks];
}

function placementOf(from: number, to: number, options: WritePacksOptions): Placement {
  const { packs, draws, table } = options;
  const first = packs.starts[from] ?? 0;
  const members = packs.members.subarray(first, packs.starts[to]);
  const placement = allocatePlacement(from, to - from, members.length);
  placement.ends.set(packs.starts.subarray(from, to + 1).map((start) => start - first));
  members.forEach((draw, i) => {
    const sample = draws.samples[draw] ?? 0;
    placement.starts[i] = table.starts[sample] ?? 0;
    placement.sizes[i] = table.spans[sample] || (table.sizes[sample] ?? 0);
    placement.numbers[i] = table.numbers[sample] ?? 0;
    placement.repeats[i] = table.repeats.get(sample) ?? 1;
    placement.files[i] = shardOf(table.shardFirsts, sample);
    placement.tokens[i] = table.tokens[sample] ?? 0;
    placement.patches[i] = table.patches[sample] ?? 0;
    placement.copies[i] = draws.copies[draw] ?? 0;
  });
  return placement;
}

/** The last shard that begins at or before the sample. */
function shardOf(firsts: readonly number[], sample: number): number {
  let low = 0;
  let high = firsts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((firsts[middle] ?? 0) <= sample) low = middle;
    else high = middle;
  }
  return low;
}

/** Archives that earlier settings left in the folder. */
function removeOthers(dir: string, prefix: string, shards: readonly string[]): void {
  const keep = new Set(shards.flatMap((shard) => [`${shard}.tar`, `${shard}.tar.idx`]));
  for (const name of readdirSync(dir)) {
    if (name.startsWith(`${prefix}-`) && !keep.has(name)) rmSync(join(dir, name));
  }
}
