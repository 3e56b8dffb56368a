// Settings of the embedded corpus, as a recipe writes them. Builds nothing.
import * as z from 'zod';

/** 'emoji' = four emoji styles; 'full' adds the three Debian packages where they are installed. */
export type CorpusProfile = 'emoji' | 'full';

export const STYLE_NAMES = ['fluent3d', 'noto', 'twemoji', 'openmoji'] as const;
export type StyleName = (typeof STYLE_NAMES)[number];

export interface CorpusConfig {
  readonly profile: CorpusProfile;
  /** Emoji styles to take; the fewer, the faster. Default: all four. */
  readonly styles: readonly string[];
  /** Side of the square pictures, in pixels. */
  readonly size: number;
  readonly samplesPerShard: number;
}

/** The same as a recipe may give it: what is left out takes its default. */
export type CorpusInput = { readonly [Key in keyof CorpusConfig]?: CorpusConfig[Key] | undefined };

export const corpusSchema: z.ZodType<CorpusConfig, CorpusInput> = z.strictObject({
  profile: z.enum(['emoji', 'full']).default('emoji'),
  styles: z
    .array(z.enum(STYLE_NAMES))
    .min(1)
    .default([...STYLE_NAMES]),
  size: z.number().int().min(14).max(1024).default(84),
  samplesPerShard: z.number().int().min(1).default(1000),
});
