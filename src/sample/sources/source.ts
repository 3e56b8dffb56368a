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

/** Where a record lies in a file, for those who fetch it alone. */
export interface ByteRange {
  readonly path: string;
  readonly start: number;
  readonly size: number;
}

/** Records that gave no sample. */
export interface LostSamples {
  /** Stands for the uid in ledgers: `shard:record`. */
  readonly uid: string;
  readonly reason: string;
  /** More than one where the rest of a file cannot be read. */
  readonly numSamples: number;
}

/** One record of a shard: a sample, or why there is none. */
export type SourceEntry =
  | { readonly sample: Sample; readonly range?: ByteRange | undefined; readonly lost?: never }
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
}

/** All entries of a source, shard by shard. */
export async function* readSource(source: Source): AsyncGenerator<SourceEntry, void, undefined> {
  for (const shard of source.shards) yield* source.read(shard);
}
