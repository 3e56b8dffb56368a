// Settings of the pack stage: as a recipe writes them, and as the stage reads them.

import { z } from 'zod';
import { LAYOUT_NAMES, type LayoutName } from './layouts/layout.ts';
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
  /** The number of packs is a multiple of this: data-parallel size × micro-batches. Default 1. */
  readonly multiple?: number | undefined;
  /** No pack holds samples of two sources. Default false. */
  readonly keepSourcesApart?: boolean | undefined;
  /** Samples of the whole set; needed where inputs have weights. */
  readonly samples?: number | undefined;
  /** A shard is closed when it has reached this size. Default 256 MiB. */
  readonly maxShardBytes?: number | undefined;
  /** Share of unreadable samples above which the stage fails. Default 0.001. */
  readonly maxSkipRate?: number | undefined;
  readonly seed?: number | undefined;
  /** How packs lie on disk. Default `onevision`; the others are for Megatron-Energon trainers. */
  readonly layout?: LayoutName | undefined;
  /** Processes; the result does not depend on it. Default: as many as cores where there is much. */
  readonly workers?: number | undefined;
}

type Open = 'samples' | 'workers';

/** The settings with every default filled in. */
export type PackConfig = {
  readonly [key in Exclude<keyof PackSettings, Open>]-?: NonNullable<PackSettings[key]>;
} & Pick<PackSettings, Open>;

export const PackConfigSchema: z.ZodType<PackConfig, PackSettings> = z.strictObject({
  maxTokens: z.int().positive().default(8192),
  maxPatches: z.int().positive().default(32_768),
  maxSegments: z.int().positive().default(4096),
  multiple: z.int().positive().default(1),
  keepSourcesApart: z.boolean().default(false),
  samples: z.int().positive().optional(),
  maxShardBytes: z
    .int()
    .positive()
    .default(256 * 1024 * 1024),
  maxSkipRate: z.number().min(0).max(1).default(0.001),
  seed: z.int().default(0),
  layout: z.enum(LAYOUT_NAMES).default('onevision'),
  workers: z.int().positive().optional(),
});
