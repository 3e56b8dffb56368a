// What is finished: one file a shard, with its result. So any number of processes, in this run or
// the next, agree on what is left without talking to each other.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { ensureFolder, readJson, writeFileAtomic } from '../core/files.ts';
import { sha256Hex } from '../core/hash.ts';

/** Who treated a shard, and for how long. */
export interface Treatment {
  readonly rank: number;
  readonly seconds: number;
}

export interface Failure {
  readonly shard: string;
  readonly rank: number;
  readonly message: string;
}

const doneSchema = z.strictObject({
  shard: z.string(),
  result: z.unknown(),
  rank: z.int().optional(),
  seconds: z.number().optional(),
});
const failureSchema: z.ZodType<Failure> = z.strictObject({
  shard: z.string(),
  rank: z.int(),
  message: z.string(),
});

/** So many markers are read for the time of a shard. */
const NUM_TIMED = 50;

/** Markers in the folder of one piece of work. */
export interface Markers {
  has(shard: string): boolean;
  /** Call only when the output of the shard is on the disk. Removes an earlier failure. */
  done(shard: string, result: unknown, how?: Treatment): Promise<void>;
  failed(failure: Failure): Promise<void>;
  /** Mean seconds of a shard, of a few of those that are done. */
  secondsPerShard(): number | undefined;
  /** How many shards are done. */
  numDone(): number;
  /** Those of the shards without a marker of any kind: read from the folder, so also over NFS. */
  untreated(shards: readonly string[]): string[];
  /** @throws OneVisionError 'data' when the marker is missing or damaged. */
  result(shard: string): unknown;
  failures(): Failure[];
  /** Before the failed shards are tried again. */
  forgetFailures(): void;
}

export function openMarkers(dir: string): Markers {
  const folders = { done: join(dir, 'done'), failed: join(dir, 'failed') };
  const file = (kind: keyof typeof folders, shard: string): string =>
    join(folders[kind], `${fileName(shard)}.json`);
  return {
    has: (shard) => existsSync(file('done', shard)),
    done: async (shard, result, how = undefined) => {
      ensureFolder(folders.done);
      const row = { shard, result: result ?? null, ...how };
      await writeFileAtomic(file('done', shard), JSON.stringify(row));
      rmSync(file('failed', shard), { force: true });
    },
    failed: async (failure) => {
      ensureFolder(folders.failed);
      await writeFileAtomic(file('failed', failure.shard), JSON.stringify(failure));
    },
    numDone: () => namesOf(folders.done).length,
    secondsPerShard: () => {
      const some = namesOf(folders.done).slice(-NUM_TIMED);
      const times = some
        .map((name) => readJson(join(folders.done, name), doneSchema).seconds)
        .filter((seconds) => seconds !== undefined);
      return times.length === 0 ? undefined : times.reduce((a, b) => a + b) / times.length;
    },
    untreated: (shards) => {
      const names = new Set([...namesOf(folders.done), ...namesOf(folders.failed)]);
      return shards.filter((shard) => !names.has(`${fileName(shard)}.json`));
    },
    result: (shard) => readJson(file('done', shard), doneSchema).result,
    failures: () =>
      namesOf(folders.failed)
        .sort()
        .map((name) => readJson(join(folders.failed, name), failureSchema)),
    forgetFailures: () => {
      for (const name of namesOf(folders.failed)) rmSync(join(folders.failed, name));
    },
  };
}

function namesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json'));
}

/** A shard may be a path or an address: its name in the folder is short, legible and unique. */
function fileName(shard: string): string {
  const legible = shard.replace(/[^A-Za-z0-9.-]+/g, '_').slice(-60);
  return `${legible}-${sha256Hex(shard).slice(0, 12)}`;
}
