// Settings of one training stage, as a recipe writes them and as the trainer reads them. The
// trainer knows nothing else about how to train.

import { z } from 'zod';
import {
  type AugmentInput,
  type AugmentSettings,
  augmentSchema,
} from '../image/augment/augment.ts';
import type { RecomputeParts } from '../model/onevision.ts';
import type { LossWeighting } from './data/segments.ts';

/** The three parts of the model, each trained or frozen. */
export type Part = 'vision' | 'merger' | 'language';
export const PARTS: readonly Part[] = ['vision', 'merger', 'language'];

export interface OptimizerSettings {
  /** `muon`: Muon on hidden matrices, AdamW on the rest. Default `adamw`. */
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
  /** Largest global gradient norm; 0 does not clip. Default 1. */
  readonly clip?: number | undefined;
}

export type Precision = 'float32' | 'bfloat16' | 'bfloat16-stochastic';

export interface LoraSettings {
  readonly rank: number;
  /** The change of a weight is alpha / rank · up · down. Default: 2 · rank. */
  readonly alpha?: number | undefined;
  /** Parts whose linear layers learn by adapters only. Default: language. The head stays frozen. */
  readonly parts?: readonly Part[] | undefined;
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
  /**
   * `token-mean`: a token is a token, over the whole global batch. `sqrt-length`: n supervised tokens
   * of a sample count √n. `pack-mean`: the mean over packs of each pack's mean, as the original.
   */
  readonly lossWeighting?: LossWeighting | 'pack-mean' | undefined;
  /** Changes to training pictures, by source of the sample; `*` is every other source. */
  readonly augment?: Readonly<Record<string, AugmentInput>> | undefined;
  /**
   * What the model computes in. `float32`. `bfloat16`: weights, activations and gradients of a
   * micro-batch; the optimizer has float32 copies of the trained weights. `bfloat16-stochastic`: no
   * copies, updates are rounded by chance; AdamW only. The optimizer's state is always float32.
   */
  readonly precision?: Precision | undefined;
  /** With precision float32: what linear layers multiply in; all else stays float32. */
  readonly matmul?: 'float32' | 'bfloat16' | undefined;
  /**
   * What backward computes again instead of keeping it: `selective` norms and activations, `full`
   * whole blocks; by part, and there for all blocks or as a list, one entry a block. Changes no bit.
   */
  readonly recompute?: RecomputeParts | undefined;
  /** Optimizer state and float32 copies in the memory of the CPU; matters on other devices. */
  readonly offload?: boolean | undefined;
  /** Adapters instead of the weights of some parts. */
  readonly lora?: LoraSettings | undefined;
  /** Keeps a moving average of the trained weights with this decay, in `ema.safetensors`. */
  readonly emaDecay?: number | undefined;
  /**
   * A loss or gradient that is not finite, always before a weight has changed. `stop`: the run
   * fails. `skip`: the step changes nothing. `rewind`: weights and optimizer go back to the last
   * checkpoint, the packs since are not seen again.
   */
  readonly onNumerics?: 'stop' | 'skip' | 'rewind' | undefined;
  /**
   * With several ranks: `optimizer` cuts the optimizer's state, `full` also the decoder's weights and
   * gradients, which are gathered block by block. Changes no result. Default `optimizer`.
   */
  readonly sharding?: 'optimizer' | 'full' | undefined;
  /** Ranks that share a state, such as those of a machine; groups of them hold it again. Default: all. */
  readonly shardRanks?: number | undefined;
  /**
   * Neighbouring ranks that compute each pack together, every one on a slice of its tokens, for packs
   * too long for one device. Changes no result. Default 1.
   */
  readonly sequenceRanks?: number | undefined;
  /**
   * A loss or gradient that stands out from the 32 steps before. `record`: an event names its worst
   * samples and the last checkpoint. The others as for `onNumerics`, before a weight has changed.
   */
  readonly onSpike?: 'record' | 'stop' | 'skip' | 'rewind' | undefined;
  /** Runs the largest pack there can be before the first step. Default true. */
  readonly dryRun?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly logEvery?: number | undefined;
  readonly saveEvery?: number | undefined;
  /** Checkpoints kept beside the last one of each stage. Default 2. */
  readonly keepLast?: number | undefined;
  /** Steps of the run whose multiples are milestones: their checkpoints stay. Default: none. */
  readonly keepEvery?: number | undefined;
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
export type LoraConfig = Filled<LoraSettings>;
export type TrainConfig = Filled<
  Omit<TrainSettings, 'optimizer' | 'augment' | 'lora' | 'emaDecay' | 'shardRanks'>
> & {
  readonly optimizer: OptimizerConfig;
  readonly lora?: LoraConfig | undefined;
  readonly emaDecay?: number | undefined;
  readonly shardRanks?: number | undefined;
  readonly augment: Readonly<Record<string, AugmentSettings>>;
};

const part = z.enum(['vision', 'merger', 'language']);
const mode = z.enum(['none', 'selective', 'full']);
const schedule = z.union([mode, z.array(mode).min(1).readonly()]).optional();
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
  clip: z.number().nonnegative().default(1),
});

const LoraSchema: z.ZodType<LoraConfig, LoraSettings> = z
  .strictObject({
    rank: z.int().positive(),
    alpha: z.number().positive().optional(),
    parts: z.array(part).min(1).readonly().default(['language']),
  })
  .transform(({ alpha, ...lora }) => ({ ...lora, alpha: alpha ?? 2 * lora.rank }));

export const TrainConfigSchema: z.ZodType<TrainConfig, TrainSettings> = z
  .strictObject({
    steps: z.int().positive(),
    trainable: z.array(part).min(1).readonly().default(PARTS),
    packsPerStep: z.int().positive().default(1),
    microBatchPacks: z.int().positive().default(1),
    optimizer: OptimizerSchema,
    lossWeighting: z.enum(['token-mean', 'sqrt-length', 'pack-mean']).default('token-mean'),
    augment: z.record(z.string(), augmentSchema).default({}),
    precision: z.enum(['float32', 'bfloat16', 'bfloat16-stochastic']).default('float32'),
    matmul: z.enum(['float32', 'bfloat16']).default('float32'),
    offload: z.boolean().default(false),
    lora: LoraSchema.optional(),
    emaDecay: z.number().gt(0).lt(1).optional(),
    onNumerics: z.enum(['stop', 'skip', 'rewind']).default('stop'),
    onSpike: z.enum(['record', 'stop', 'skip', 'rewind']).default('record'),
    sharding: z.enum(['optimizer', 'full']).default('optimizer'),
    shardRanks: z.int().positive().optional(),
    sequenceRanks: z.int().positive().default(1),
    dryRun: z.boolean().default(true),
    recompute: z.strictObject({ vision: schedule, language: schedule }).default({}),
    seed: z.int().default(0),
    logEvery: z.int().positive().default(10),
    saveEvery: z.int().positive().default(200),
    keepLast: z.int().positive().default(2),
    keepEvery: z.int().nonnegative().default(0),
    prefetch: z.int().positive().default(4),
    workers: z.int().nonnegative().default(1),
    imageCacheMiB: z.number().nonnegative().default(256),
    maxSkipRate: rate.default(0.001),
  })
  .refine((config) => config.packsPerStep % config.microBatchPacks === 0, {
    path: ['microBatchPacks'],
    message: 'must divide packsPerStep',
  })
  .refine(
    ({ precision, optimizer }) => precision !== 'bfloat16-stochastic' || optimizer.name === 'adamw',
    {
      path: ['precision'],
      message: 'bfloat16-stochastic needs the optimizer adamw',
    },
  )
  .refine(({ precision, offload }) => precision !== 'bfloat16-stochastic' || !offload, {
    path: ['offload'],
    message: 'keeps float32 copies; bfloat16-stochastic has none',
  })
  .refine(({ precision, matmul }) => precision === 'float32' || matmul === 'float32', {
    path: ['matmul'],
    message: 'is for precision float32; with bfloat16 everything is multiplied in it',
  })
  .refine(({ lora, emaDecay }) => lora === undefined || emaDecay === undefined, {
    path: ['emaDecay'],
    message: 'is an average of weights; with lora there are none that are trained',
  })
  .refine(({ lora, trainable }) => lora?.parts.every((p) => trainable.includes(p)) ?? true, {
    path: ['lora', 'parts'],
    message: 'must be among the trainable parts',
  });
