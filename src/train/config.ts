// Settings of one training stage, as a recipe writes them and as the trainer reads them. The
// trainer knows nothing else about how to train.

import { z } from 'zod';
import { type AugmentInput, type AugmentSettings, augmentSchema } from '../image/augment.ts';
import type { LossWeighting } from './data/segments.ts';

/** The three parts of the model, each trained or frozen. */
export type Part = 'vision' | 'merger' | 'language';
export const PARTS: readonly Part[] = ['vision', 'merger', 'language'];

export interface OptimizerSettings {
  /** `muon`: Muon on the matrices of the blocks, AdamW on the rest. Default `adamw`. */
  readonly name?: 'adamw' | 'muon' | undefined;
  /** Largest learning rate. */
  readonly lr: number;
  /** Learning rate at the end of the cosine. Default 0. */
  readonly minLr?: number | undefined;
  /** Share of the steps over which the learning rate rises from 0. Default 0.002. */
  readonly warmup?: number | undefined;
  /** AdamW's decay rates of the moments. Default [0.9, 0.95]. */
  readonly betas?: readonly [number, number] | undefined;
  readonly eps?: number | undefined;
  /** Decoupled, on matrices only. Default 0. */
  readonly weightDecay?: number | undefined;
  /** Learning rate of a part as a multiple of `lr`. */
  readonly partLr?: Readonly<Partial<Record<Part, number>>> | undefined;
  /** Muon's momentum. Default 0.95. */
  readonly momentum?: number | undefined;
  /** Precision of Muon's iterations; bfloat16 is enough for the method. Default float32. */
  readonly muonPrecision?: 'float32' | 'bfloat16' | undefined;
  /** Largest global gradient norm; 0 does not clip. Default 1. */
  readonly clip?: number | undefined;
}

export interface TrainSettings {
  readonly steps: number;
  /** What is trained; the rest is frozen: no graph, no optimizer state. Default: all parts. */
  readonly trainable?: readonly Part[] | undefined;
  /** Packs in one update, the global batch. Default 1. */
  readonly packsPerStep?: number | undefined;
  /** Packs in one forward; divides packsPerStep. Default 1. */
  readonly microBatchPacks?: number | undefined;
  readonly optimizer: OptimizerSettings;
  /** `token-mean`: a token is a token. `sqrt-length`: n supervised tokens of a sample count √n. */
  readonly lossWeighting?: LossWeighting | undefined;
  /** Changes to training pictures, by source of the sample; `*` is every other source. */
  readonly augment?: Readonly<Record<string, AugmentInput>> | undefined;
  /** What linear layers multiply in; weights, gradients and the rest stay float32. */
  readonly matmul?: 'float32' | 'bfloat16' | undefined;
  readonly seed?: number | undefined;
  readonly logEvery?: number | undefined;
  readonly saveEvery?: number | undefined;
  /** Checkpoints kept beside the last one of each stage. Default 2. */
  readonly keepLast?: number | undefined;
  /** Steps assembled ahead. Default 4. */
  readonly prefetch?: number | undefined;
  /** Threads that decode and assemble; 0 does it in the main thread. Default 1. */
  readonly workers?: number | undefined;
  /** Decoded images kept in memory by each worker, MiB. Default 256. */
  readonly imageCacheMiB?: number | undefined;
  /** Share of unreadable samples above which the stage fails. Default 0.001. */
  readonly maxSkipRate?: number | undefined;
}

type Filled<T> = { readonly [key in keyof T]-?: NonNullable<T[key]> };
export type OptimizerConfig = Filled<OptimizerSettings>;
/** The settings with every default filled in. */
export type TrainConfig = Filled<Omit<TrainSettings, 'optimizer' | 'augment'>> & {
  readonly optimizer: OptimizerConfig;
  readonly augment: Readonly<Record<string, AugmentSettings>>;
};

const part = z.enum(['vision', 'merger', 'language']);
const rate = z.number().min(0).max(1);

export const OptimizerSchema: z.ZodType<OptimizerConfig, OptimizerSettings> = z.strictObject({
  name: z.enum(['adamw', 'muon']).default('adamw'),
  lr: z.number().positive(),
  minLr: z.number().nonnegative().default(0),
  warmup: rate.default(0.002),
  betas: z.tuple([rate, rate]).readonly().default([0.9, 0.95]),
  eps: z.number().positive().default(1e-8),
  weightDecay: z.number().nonnegative().default(0),
  partLr: z.partialRecord(part, z.number().nonnegative()).default({}),
  momentum: rate.default(0.95),
  muonPrecision: z.enum(['float32', 'bfloat16']).default('float32'),
  clip: z.number().nonnegative().default(1),
});

export const TrainConfigSchema: z.ZodType<TrainConfig, TrainSettings> = z
  .strictObject({
    steps: z.int().positive(),
    trainable: z.array(part).min(1).readonly().default(PARTS),
    packsPerStep: z.int().positive().default(1),
    microBatchPacks: z.int().positive().default(1),
    optimizer: OptimizerSchema,
    lossWeighting: z.enum(['token-mean', 'sqrt-length']).default('token-mean'),
    augment: z.record(z.string(), augmentSchema).default({}),
    matmul: z.enum(['float32', 'bfloat16']).default('float32'),
    seed: z.int().default(0),
    logEvery: z.int().positive().default(10),
    saveEvery: z.int().positive().default(200),
    keepLast: z.int().positive().default(2),
    prefetch: z.int().positive().default(4),
    workers: z.int().nonnegative().default(1),
    imageCacheMiB: z.number().nonnegative().default(256),
    maxSkipRate: rate.default(0.001),
  })
  .refine((config) => config.packsPerStep % config.microBatchPacks === 0, {
    path: ['microBatchPacks'],
    message: 'must divide packsPerStep',
  });
