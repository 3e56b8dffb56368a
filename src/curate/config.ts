// The settings of curation. Every number that decides about a sample is here or in the settings of
// its part.
import * as z from 'zod';
import { type DedupConfig, type DedupInput, dedupSchema } from './dedup/settings.ts';
import { type FilterConfig, type FilterInput, filterSchema } from './filters/settings.ts';

export interface ConceptConfig {
  /** Folder of a list that `onevision concepts build` made; null for the embedded nouns. */
  readonly list: string | null;
  /** A single word counts when spoken English (SUBTLEX-US) has it this often, … */
  readonly minSpoken: number;
  /** … or when it is among this many most popular words of Wikipedia. */
  readonly maxRank: number;
  /** The noun names a thing in one of this many most frequent senses (`heart` in its second). */
  readonly numSenses: number;
  /** Hypernym steps that are counted beside a matched noun: 1 adds `dog` to `poodle`. */
  readonly rollUp: number;
}

export interface BalanceConfig {
  /** `uniform` draws every sample alike: the baseline of the two published rules. */
  readonly rule: 'inverse-frequency' | 'metaclip-t' | 'uniform';
  /** How 1/f of a sample's concepts becomes its weight; of `inverse-frequency`. */
  readonly aggregate: 'sum' | 'mean';
  /** Draw with repetition: a sample that is rare enough comes several times. Not `metaclip-t`. */
  readonly replacement: boolean;
  /** Samples to draw, as a share of the clean training samples. Not `metaclip-t`. */
  readonly target: number;
  /** Share of all matches that concepts below the threshold t hold; of `metaclip-t`. */
  readonly tailShare: number;
  /** t of the reference language, in place of `tailShare`; its tail share holds for the others. */
  readonly t: number | null;
  /** Language of `t`. Default: the one with the most matches. */
  readonly reference: string | null;
}

export interface CurateConfig {
  readonly filters: FilterConfig;
  readonly dedup: DedupConfig;
  readonly concepts: ConceptConfig;
  readonly balance: BalanceConfig;
  /** Module that exports `embedder` with a function `open`, which gives an `Embedder`. */
  readonly embedder: string | null;
  readonly seed: number;
  readonly samplesPerShard: number;
  /** Largest share of samples that may be unreadable. */
  readonly maxSkipRate: number;
}

/** Every field may be left out. */
export type Loose<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

export const conceptSchema: z.ZodType<ConceptConfig, Loose<ConceptConfig>> = z.strictObject({
  list: z.string().nullable().default(null),
  minSpoken: z.number().int().min(0).default(5),
  maxRank: z.number().int().min(0).default(50_000),
  numSenses: z.number().int().min(1).default(2),
  rollUp: z.number().int().min(0).max(5).default(0),
});

export const balanceSchema: z.ZodType<BalanceConfig, Loose<BalanceConfig>> = z.strictObject({
  rule: z.enum(['inverse-frequency', 'metaclip-t', 'uniform']).default('inverse-frequency'),
  aggregate: z.enum(['sum', 'mean']).default('sum'),
  replacement: z.boolean().default(false),
  target: z.number().positive().max(100).default(0.9),
  tailShare: z.number().min(0).max(1).default(0.06),
  t: z.number().min(1).nullable().default(null),
  reference: z.string().nullable().default(null),
});

/** The settings as a recipe may give them: what is left out takes its default. */
export interface CurateInput {
  readonly filters?: FilterInput | undefined;
  readonly dedup?: DedupInput | undefined;
  readonly concepts?: Loose<ConceptConfig> | undefined;
  readonly balance?: Loose<BalanceConfig> | undefined;
  readonly embedder?: string | null | undefined;
  readonly seed?: number | undefined;
  readonly samplesPerShard?: number | undefined;
  readonly maxSkipRate?: number | undefined;
}

export const curateSchema: z.ZodType<CurateConfig, CurateInput> = z.strictObject({
  filters: filterSchema.prefault({}),
  dedup: dedupSchema.prefault({}),
  concepts: conceptSchema.prefault({}),
  balance: balanceSchema.prefault({}),
  embedder: z.string().nullable().default(null),
  seed: z.number().int().default(0),
  samplesPerShard: z.number().int().min(1).default(1000),
  maxSkipRate: z.number().min(0).max(1).default(0.001),
});
