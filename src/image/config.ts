// How a picture becomes patches: the numbers of the image processor. Not its code.

import * as z from 'zod';

const triple = z.tuple([z.number(), z.number(), z.number()]);
const positiveTriple = z.tuple([
  z.number().positive(),
  z.number().positive(),
  z.number().positive(),
]);

/** The numbers of the image processor; `QWEN_PROCESSOR` holds the released models' values. */
export interface ProcessorConfig {
  /** Side of a square patch in pixels. */
  readonly patchSize: number;
  /** Patches per side that one image token stands for. */
  readonly mergeSize: number;
  /** Fewest pixels (height × width) after the resize. */
  readonly minPixels: number;
  /** Most pixels (height × width) after the resize. */
  readonly maxPixels: number;
  /** Mean of red, green and blue, in 0–1. */
  readonly mean: readonly [number, number, number];
  /** Standard deviation of red, green and blue, in 0–1. */
  readonly std: readonly [number, number, number];
}

/** Checks a {@link ProcessorConfig}; an unknown key is an error. */
export const processorSchema: z.ZodType<ProcessorConfig, ProcessorConfig> = z.strictObject({
  patchSize: z.int().positive(),
  mergeSize: z.int().positive(),
  minPixels: z.int().positive(),
  maxPixels: z.int().positive(),
  mean: triple,
  std: positiveTriple,
});

/** Qwen2-VL's processor as LLaVA-OneVision-1.5 uses it (at most 1600 × 1600 pixels). */
export const QWEN_PROCESSOR: ProcessorConfig = {
  patchSize: 14,
  mergeSize: 2,
  minPixels: 56 * 56,
  maxPixels: 1600 * 1600,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
