// Random access to packs: any pack by its number in one read. Does not decode images.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { readJsonlSync } from '../core/jsonl.ts';
import { type ProcessorConfig, processorSchema } from '../image/config.ts';
import { type Manifest, readManifest } from '../sample/manifest.ts';
import { type AdoptedPack, adoptedName } from './adopt/adopt-task.ts';
import { LAYOUT_NAMES, type LayoutName } from './layouts/layout.ts';
import { layoutOf } from './layouts/layouts.ts';
import { FilePool, sliceMembers } from './ranges.ts';
import type { Pack } from './record.ts';

/** What the packs were counted with; training must use the same. */
export interface PackFacts {
  /** Hash of the tokenizer the tokens were counted with; see tokenizerHash in lengths.ts. */
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  readonly maxTokens: number;
  readonly maxPatches: number;
  /** Tokens in packs over capacity, 0 … 1. */
  readonly fill: number;
  readonly layout: LayoutName;
}

/** An open set of packs. */
export interface PackReader {
  readonly dir: string;
  readonly numPacks: number;
  readonly facts: PackFacts;
  /** Reads a pack. @throws OneVisionError 'data' when it is missing or damaged. */
  read(pack: number): Pack;
  close(): void;
  [Symbol.dispose](): void;
}

/** What the manifest of a pack set says beside the counts. */
interface Stats extends PackFacts {
  /** Archives that lie elsewhere: the set is adopted. */
  readonly archives?: readonly string[] | undefined;
}

const StatsSchema: z.ZodType<Stats, unknown> = z.object({
  tokenizer: z.string(),
  processor: processorSchema,
  maxTokens: z.number(),
  maxPatches: z.number(),
  fill: z.number(),
  layout: z.enum(LAYOUT_NAMES).default('onevision'),
  archives: z.array(z.string()).optional(),
});

const AdoptedSchema: z.ZodType<AdoptedPack> = z.object({
  start: z.number(),
  size: z.number(),
  tokens: z.array(z.number()),
  patches: z.array(z.number()),
});

/** Some packs of one archive. */
interface Shard {
  readonly path: string;
  readonly count: number;
  /** Byte range of each pack. */
  range(pack: number): readonly [start: number, size: number];
  /** What was measured of a pack whose record does not say it. */
  lengths?(pack: number): Pick<AdoptedPack, 'tokens' | 'patches'>;
}

/**
 * Opens the folder that packing or adopting wrote.
 * @throws OneVisionError 'data' when it is unfinished, holds something else, or an index is damaged.
 */
export function openPacks(dir: string): PackReader {
  const manifest = readManifest(dir);
  const stats = StatsSchema.safeParse(manifest.stats);
  if (manifest.kind !== 'packs' || !stats.success) {
    throw new OneVisionError('data', `expected packs in ${dir}, came ${manifest.kind}`, {
      hint: 'give the folder of a finished pack stage',
      cause: stats.error,
    });
  }
  const { archives, ...facts } = stats.data;
  const shards =
    archives?.map((path, i) => openAdopted(dir, path, manifest, i)) ?? ours(dir, manifest);
  const firsts = [0];
  for (const shard of shards) firsts.push((firsts.at(-1) ?? 0) + shard.count);
  const pool = new FilePool();
  const layout = layoutOf(facts.layout);
  const close = (): void => pool.close();
  return {
    dir,
    numPacks: firsts.at(-1) ?? 0,
    facts,
    read: (pack) => {
      const at = firsts.findLastIndex((first) => first <= pack);
      const shard = shards[at];
      if (shard === undefined) throw new RangeError(`no pack ${pack} in ${dir}`);
      const within = pack - (firsts[at] ?? 0);
      const [start, size] = shard.range(within);
      const members = sliceMembers(pool.read(shard.path, start, size), shard.path);
      const key = members[0]?.key ?? '';
      const parts = members
        .filter((member) => member.key === key)
        .map(({ part, bytes }) => ({ name: part, bytes }));
      return withLengths(layout.decode(key, parts, shard.path), shard.lengths?.(within));
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** The pack with what was measured; samples that could not be measured are left out. */
function withLengths(
  pack: Pack,
  lengths: ReturnType<NonNullable<Shard['lengths']>> | undefined,
): Pack {
  if (lengths === undefined) return pack;
  const measured = pack.samples.map((sample, i) => {
    return { ...sample, tokens: lengths.tokens[i] ?? 0, patches: lengths.patches[i] ?? 0 };
  });
  return { ...pack, samples: measured.filter(({ tokens }) => tokens > 0) };
}

function ours(dir: string, manifest: Manifest): Shard[] {
  return manifest.files
    .filter((file) => file.name.endsWith('.tar'))
    .map((file) => openShard(join(dir, file.name), file.count));
}

/** An archive of ours with its index of offsets: n + 1 little-endian uint64. */
function openShard(path: string, count: number): Shard {
  const bytes = readFileSync(`${path}.idx`);
  if (bytes.length !== 8 * (count + 1)) {
    throw new OneVisionError(
      'data',
      `expected ${count + 1} offsets in ${path}.idx, came ${bytes.length} bytes`,
      { hint: 'delete the folder of this pack set and run the pack stage again' },
    );
  }
  const offset = (index: number): number => Number(bytes.readBigUInt64LE(8 * index));
  return { path, count, range: (pack) => [offset(pack), offset(pack + 1) - offset(pack)] };
}

function openAdopted(dir: string, path: string, manifest: Manifest, index: number): Shard {
  const packs = readAdopted(join(dir, manifest.files[index]?.name ?? adoptedName(path)));
  return {
    path,
    count: packs.length,
    range: (pack) => [packs[pack]?.start ?? 0, packs[pack]?.size ?? 0],
    lengths: (pack) => packs[pack] ?? { tokens: [], patches: [] },
  };
}

/** The lines that adopting wrote for one archive. @throws OneVisionError 'data' for a broken line. */
export function readAdopted(path: string): AdoptedPack[] {
  return readJsonlSync(path).map((row) => AdoptedSchema.parse(row));
}
