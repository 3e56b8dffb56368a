// What a source of samples is, whatever its format: shards that are read alone, and entries that
// account for every record in them. open.ts finds the format.
import * as z from 'zod';
import type { Sample } from '../sample.ts';

export const SOURCE_FORMATS = ['webdataset', 'parquet', 'jsonl', 'img2dataset', 'folder'] as const;
export type SourceFormat = (typeof SOURCE_FORMATS)[number];

/** Where samples come from, as JSON: a task that runs elsewhere opens the same source from it. */
export interface SourceSpec {
  /** A folder, or one file of it. */
  readonly path: string;
  /** Default: what the files say. */
  readonly format?: SourceFormat | undefined;
  /** Source of its samples and beginning of their uids; default: name of the folder or file. */
  readonly name?: string | undefined;
  /** Folder that image paths are relative to; default: the source's own. */
  readonly imageRoot?: string | undefined;
  /** Bytes of a file of JSON lines or parquet that make a shard. Default 64 MiB. */
  readonly partBytes?: number | undefined;
}

export const sourceSpecSchema: z.ZodType<SourceSpec, SourceSpec> = z.strictObject({
  path: z.string(),
  format: z.enum(SOURCE_FORMATS).optional(),
  name: z.string().optional(),
  imageRoot: z.string().optional(),
  partBytes: z.int().positive().optional(),
});

export interface SourceShard {
  /** Unique in the source, the same in every run: the path of its file, and its part of that. */
  readonly name: string;
  /** Records it should hold, where something says so. */
  readonly count: number | undefined;
}

/** Where a record lies, for those who read it again alone. */
export interface RecordPlace {
  /** Archive that holds all of it between `start` and `start + size`; else ask `again`. */
  readonly archive?: string | undefined;
  /** First byte; where the format has no ranges of bytes, its number in the file or shard. */
  readonly start: number;
  /** Bytes, where it has such a range. */
  readonly size?: number | undefined;
  /** Its number in the file, where that is not the start: a record without a name is named so. */
  readonly number?: number | undefined;
}

/** Records that gave no sample. */
export interface LostSamples {
  /** Stands for the uid in ledgers: `shard:record`. */
  readonly uid: string;
  readonly reason: string;
  /** More than one where the rest of a file cannot be read. */
  readonly numSamples: number;
}

/** A uid and the reason for each of them, as ledgers list them. */
export function eachLost({
  uid,
  reason,
  numSamples,
}: LostSamples): { uid: string; reason: string }[] {
  return Array.from({ length: numSamples }, (_, i) => {
    return { uid: numSamples === 1 ? uid : `${uid}#${i}`, reason };
  });
}

/** One record of a shard: a sample, or why there is none. */
export type SourceEntry =
  | {
      readonly sample: Sample;
      readonly at: RecordPlace;
      /** n where its uid ends in `~n`, as others of its shard have the same name; else 1. */
      readonly repeat: number;
      readonly lost?: never;
    }
  | { readonly lost: LostSamples; readonly sample?: never };

export interface Source {
  readonly format: SourceFormat;
  readonly spec: SourceSpec;
  /** Names the content: equal for equal files. */
  readonly hash: string;
  /** In the order of their names. */
  readonly shards: readonly SourceShard[];
  /**
   * The records of a shard in order, one in memory at a time. Does not throw for what is in the
   * files: that is an entry. The uids of samples are unique in the source and the same in every run.
   */
  read(shard: SourceShard): AsyncGenerator<SourceEntry, void, undefined>;
  /**
   * The samples of some records of a shard that are in no archive, in the order of `places`, which
   * rises by `start`. Their uids have no `~n`.
   * @throws Error whose message is the reason when one is not there any more.
   */
  again(
    shard: SourceShard,
    places: readonly RecordPlace[],
  ): AsyncGenerator<Sample, void, undefined>;
}

/** All entries of a source, shard by shard. */
export async function* readSource(source: Source): AsyncGenerator<SourceEntry, void, undefined> {
  for (const shard of source.shards) yield* source.read(shard);
}
