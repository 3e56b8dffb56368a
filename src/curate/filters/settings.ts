// The settings of the filters: every threshold, and what scores are measured against.
import * as z from 'zod';
import { BOILERPLATE_PATTERNS } from './text/boilerplate.ts';

/** A score of one's own: nudity, faces, a learned aesthetic. */
export interface HookConfig {
  /** Reason in the ledger: `nsfw`. */
  readonly name: string;
  /** Module that exports `scorer`, a `PictureScorer` (hooks.ts); a path or a package. */
  readonly module: string;
  /** Samples stay within these. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export interface FilterConfig {
  /** Pictures with more pixels are not decoded; they are an error in the ledger. */
  readonly maxPixels: number;
  /** Shortest side an image may have, in pixels. */
  readonly minSide: number;
  /** Longest side divided by shortest side. */
  readonly maxRatio: number;
  /** An image whose channels all vary by no more than this is blank (0–255). */
  readonly minSpread: number;
  /** Largest share of black pixels. */
  readonly maxDark: number;
  /** Least of the simple measures of a picture, 0–1. */
  readonly minAesthetics: number;
  /** Signs of an agency's stamp, 0–1; 1 lets all pass, and patterns are not looked for. */
  readonly maxWatermark: number;
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
  /** ISO 639-1 codes of the wanted languages; none = any. */
  readonly languages: readonly string[];
  /** By how much another language may fit better than a wanted one, 0–1. */
  readonly maxLanguageLead: number;
  /** Least cosine of image and caption, where an embedder is wired. */
  readonly minAgreement: number;
  /** Folders of evaluation samples that must not be trained on. */
  readonly evaluation: readonly string[];
  /** Bits in which a picture must differ from every evaluation picture, less one. */
  readonly maxEvaluationHamming: number;
  readonly hooks: readonly HookConfig[];
}

/** Every field may be left out. */
type Loose<T> = { readonly [Key in keyof T]?: T[Key] | undefined };
export type FilterInput = Loose<FilterConfig>;

const share = z.number().min(0).max(1);
const hookSchema: z.ZodType<HookConfig, HookConfig> = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower case letters, digits, dashes'),
  module: z.string().min(1),
  min: z.number().optional(),
  max: z.number().optional(),
});

export const filterSchema: z.ZodType<FilterConfig, FilterInput> = z.strictObject({
  maxPixels: z.int().min(1).default(50_000_000),
  minSide: z.int().min(1).default(28),
  maxRatio: z.number().min(1).default(20),
  minSpread: z.number().min(0).max(255).default(8),
  maxDark: share.default(0.98),
  minAesthetics: share.default(0),
  maxWatermark: share.default(1),
  exclude: z.record(z.string(), z.array(z.string())).default({ emojiGroup: ['component'] }),
  boilerplate: z.array(z.string()).default([...BOILERPLATE_PATTERNS]),
  maxTitleUses: z.int().min(1).default(8),
  minChars: z.int().min(0).default(2),
  maxChars: z.int().min(1).default(3500),
  maxWordRun: z.int().min(1).default(7),
  languages: z.array(z.string().length(2)).default([]),
  maxLanguageLead: share.default(0.1),
  minAgreement: z.number().min(-1).max(1).default(-1),
  evaluation: z.array(z.string()).default([]),
  maxEvaluationHamming: z.int().min(0).max(15).default(10),
  hooks: z.array(hookSchema).default([]),
});
