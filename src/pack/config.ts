// Settings of the pack stage: as a recipe writes them, and as the stage reads them.

import { z } from 'zod';
import type { Share } from './mixture.ts';

/** One input of the mix: a folder of samples with a manifest, and how much of it is drawn. */
export interface PackInput extends Share {
  readonly dir: string;
}

/** What a recipe may set. */
export interface PackSettings {
  /** Capacity of a pack in tokens, image tokens included. Default 8192. */
  readonly maxTokens?: number | undefined;
  /** Capacity of a pack in vision patches. Default 32,768. */
  readonly maxPatches?: number | undefined;
  /** Samples in one pack at most. Default 4096. */
  readonly maxSegments?: number | undefined;
  /** Samples of the whole set; needed where inputs have weights. */
  readonly samples?: number | undefined;
  /** A shard is closed when it has reached this size. Default 256 MiB. */
  readonly maxShardBytes?: number | undefined;
  /** Share of unreadable samples above which the stage fails. Default 0.001. */
  readonly maxSkipRate?: number | undefined;
  readonly seed?: number | undefined;
}

/** The settings with every default filled in. */
export type PackConfig = {
  readonly [key in Exclude<keyof PackSettings, 'samples'>]-?: NonNullable<PackSettings[key]>;
} & Pick<PackSettings, 'samples'>;

export const PackInputSchema: z.ZodType<PackInput> = z
  .strictObject({
    dir: z.string(),
    count: z.int().positive().optional(),
    epochs: z.number().positive().optional(),
    weight: z.number().positive().optional(),
  })
  .refine((input) => [input.count, input.epochs, input.weight].filter(Number.isFinite).length < 2, {
    message: 'give at most one of count, epochs and weight',
  });

export const PackConfigSchema: z.ZodType<PackConfig, PackSettings> = z.strictObject({
  maxTokens: z.int().positive().default(8192),
  maxPatches: z.int().positive().default(32_768),
  maxSegments: z.int().positive().default(4096),
  samples: z.int().positive().optional(),
  maxShardBytes: z
    .int()
    .positive()
    .default(256 * 1024 * 1024),
  maxSkipRate: z.number().min(0).max(1).default(0.001),
  seed: z.int().default(0),
});
