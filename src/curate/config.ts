// The settings of curation. Every number that decides about a sample is here.
import * as z from 'zod';
import { BOILERPLATE_PATTERNS } from './filters/boilerplate.ts';

export interface FilterConfig {
  /** Shortest side an image may have, in pixels. */
  readonly minSide: number;
  /** Longest side divided by shortest side. */
  readonly maxRatio: number;
  /** An image whose channels all vary by no more than this is blank (0–255). */
  readonly minSpread: number;
  /** `meta` field → values that mark samples to leave out. */
  readonly exclude: Readonly<Record<string, readonly string[]>>;
  /** Regular expressions for titles, case ignored. */
  readonly boilerplate: readonly string[];
  /** A title that more samples of one source share says nothing about each. */
  readonly maxTitleUses: number;
  /** Characters of the caption. */
  readonly minChars: number;
  readonly maxChars: number;
  /** Longest run of one word. */
  readonly maxWordRun: number;
}

export interface DedupConfig {
  /** Bits of 256 in which the difference hashes of near-duplicates differ at most. */
  readonly maxHamming: number;
  /** Mean absolute difference of their 8×8 colour thumbnails, 0–255. */
  readonly maxColourDifference: number;
  /** Sources in which a nearly equal picture is a thing of its own (two clock faces). */
  readonly keepLookAlikes: readonly string[];
}

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
  readonly seed: number;
  readonly samplesPerShard: number;
  /** Largest share of samples that may be unreadable. */
  readonly maxSkipRate: number;
}

/** Every field may be left out. */
export type Loose<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

const filterSchema: z.ZodType<FilterConfig, Loose<FilterConfig>> = z.strictObject({
  minSide: z.number().int().min(1).default(28),
  maxRatio: z.number().min(1).default(20),
  minSpread: z.number().min(0).max(255).default(8),
  exclude: z.record(z.string(), z.array(z.string())).default({ emojiGroup: ['component'] }),
  boilerplate: z.array(z.string()).default([...BOILERPLATE_PATTERNS]),
  maxTitleUses: z.number().int().min(1).default(8),
  minChars: z.number().int().min(0).default(2),
  maxChars: z.number().int().min(1).default(3500),
  maxWordRun: z.number().int().min(1).default(7),
});

const dedupSchema: z.ZodType<DedupConfig, Loose<DedupConfig>> = z.strictObject({
  maxHamming: z.number().int().min(0).max(15).default(10),
  maxColourDifference: z.number().min(0).max(255).default(24),
  keepLookAlikes: z.array(z.string()).default(['fluent3d', 'noto', 'twemoji', 'openmoji']),
});

const conceptSchema: z.ZodType<ConceptConfig, Loose<ConceptConfig>> = z.strictObject({
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
  readonly filters?: Loose<FilterConfig> | undefined;
  readonly dedup?: Loose<DedupConfig> | undefined;
  readonly concepts?: Loose<ConceptConfig> | undefined;
  readonly balance?: Loose<BalanceConfig> | undefined;
  readonly seed?: number | undefined;
  readonly samplesPerShard?: number | undefined;
  readonly maxSkipRate?: number | undefined;
}

export const curateSchema: z.ZodType<CurateConfig, CurateInput> = z.strictObject({
  filters: filterSchema.prefault({}),
  dedup: dedupSchema.prefault({}),
  concepts: conceptSchema.prefault({}),
  balance: balanceSchema.prefault({}),
  seed: z.number().int().default(0),
  samplesPerShard: z.number().int().min(1).default(1000),
  maxSkipRate: z.number().min(0).max(1).default(0.001),
});
