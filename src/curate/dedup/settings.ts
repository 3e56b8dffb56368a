// The settings of deduplication.
import * as z from 'zod';

export interface DedupConfig {
  /** Which of several stays: the first uid, or the largest picture (then the first uid). */
  readonly keep: 'first' | 'largest';
  /** Bits of 256 in which the difference hashes of near-duplicates differ at most. */
  readonly maxHamming: number;
  /** Mean absolute difference of their 8×8 colour thumbnails, 0–255. */
  readonly maxColourDifference: number;
  /** Sources in which a nearly equal picture is a thing of its own (two clock faces). */
  readonly keepLookAlikes: readonly string[];
  /** Least overlap of word runs at which two captions are one, 0–1; null: texts are not compared. */
  readonly minTextOverlap: number | null;
  /** Least cosine at which two images are one; null: embeddings are not compared. */
  readonly minCosine: number | null;
}

export type DedupInput = { readonly [Key in keyof DedupConfig]?: DedupConfig[Key] | undefined };

export const dedupSchema: z.ZodType<DedupConfig, DedupInput> = z.strictObject({
  keep: z.enum(['first', 'largest']).default('first'),
  maxHamming: z.int().min(0).max(15).default(10),
  maxColourDifference: z.number().min(0).max(255).default(24),
  keepLookAlikes: z.array(z.string()).default(['fluent3d', 'noto', 'twemoji', 'openmoji']),
  minTextOverlap: z.number().gt(0).max(1).nullable().default(null),
  minCosine: z.number().gt(0).max(1).nullable().default(null),
});
