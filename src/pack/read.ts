// Random access to packs: any pack by its number in one read. Does not decode images.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { type ProcessorConfig, processorSchema } from '../image/config.ts';
import { readManifest } from '../sample/manifest.ts';
import { FilePool, sliceMembers } from './ranges.ts';
import { decodePack, type Pack, packKey } from './record.ts';

/** What the packs were counted with; training must use the same. */
export interface PackFacts {
  /** Hash of the tokenizer the tokens were counted with; see tokenizerHash in lengths.ts. */
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  readonly maxTokens: number;
  readonly maxPatches: number;
  /** Tokens in packs over capacity, 0 … 1. */
  readonly fill: number;
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

const FactsSchema: z.ZodType<PackFacts> = z.object({
  tokenizer: z.string(),
  processor: processorSchema,
  maxTokens: z.number(),
  maxPatches: z.number(),
  fill: z.number(),
});

/**
 * Opens the folder that the pack stage wrote.
 * @throws OneVisionError 'data' when it is unfinished, holds something else, or an index is damaged.
 */
export function openPacks(dir: string): PackReader {
  const manifest = readManifest(dir);
  const facts = FactsSchema.safeParse(manifest.stats);
  if (manifest.kind !== 'packs' || !facts.success) {
    throw new OneVisionError('data', `expected packs in ${dir}, came ${manifest.kind}`, {
      hint: 'give the folder of a finished pack stage',
      cause: facts.error,
    });
  }
  const shards = manifest.files
    .filter((file) => file.name.endsWith('.tar'))
    .map((file) => openShard(join(dir, file.name), file.count));
  const firsts = [0];
  for (const shard of shards) firsts.push((firsts.at(-1) ?? 0) + shard.count);
  const pool = new FilePool();
  const close = (): void => pool.close();
  return {
    dir,
    numPacks: firsts.at(-1) ?? 0,
    facts: facts.data,
    read: (pack) => {
      const at = firsts.findLastIndex((first) => first <= pack);
      const shard = shards[at];
      if (shard === undefined) throw new RangeError(`no pack ${pack} in ${dir}`);
      const { path, offsets } = shard;
      const within = pack - (firsts[at] ?? 0);
      const start = offsets[within] ?? 0;
      const slice = pool.read(path, start, (offsets[within + 1] ?? start) - start);
      const key = packKey(pack);
      const members = sliceMembers(slice, path).filter((member) => member.key === key);
      return decodePack(
        key,
        members.map(({ part, bytes }) => ({ name: part, bytes })),
        path,
      );
    },
    close,
    [Symbol.dispose]: close,
  };
}

interface Shard {
  readonly path: string;
  readonly count: number;
  /** Of each pack's first header, and the end of the last pack. `[count + 1]` */
  readonly offsets: Float64Array;
}

function openShard(path: string, count: number): Shard {
  const bytes = readFileSync(`${path}.idx`);
  if (bytes.length !== 8 * (count + 1)) {
    throw new OneVisionError(
      'data',
      `expected ${count + 1} offsets in ${path}.idx, came ${bytes.length} bytes`,
      { hint: 'delete the folder of this pack set and run the pack stage again' },
    );
  }
  const offsets = Float64Array.from({ length: count + 1 }, (_, index) =>
    Number(bytes.readBigUInt64LE(8 * index)),
  );
  return { path, count, offsets };
}
