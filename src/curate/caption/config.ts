// The settings of captioning. What decides about captions is hashed; how fast it goes is not.

import * as z from 'zod';
import type { Endpoint } from '../../endpoint/sender.ts';

export interface CaptionConfig {
  readonly model: string;
  /** Language → share of the samples; the paper's 65M English and 20M Chinese by default. */
  readonly languages: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly maxTokens: number;
  readonly temperature: number;
  /** Longest side of a picture as it is sent, in pixels. */
  readonly maxSide: number;
  readonly minChars: number;
  readonly maxChars: number;
  readonly maxRepetition: number;
  /** Answers asked for until one is a caption. */
  readonly maxAttempts: number;
  /** Largest share of samples for which the endpoint may give no answer. */
  readonly maxErrorRate: number;
  readonly samplesPerShard: number;
}

export type CaptionInput = {
  readonly [Key in keyof CaptionConfig]?: CaptionConfig[Key] | undefined;
} & {
  readonly model: string;
};

export const captionSchema: z.ZodType<CaptionConfig, CaptionInput> = z.strictObject({
  model: z.string().min(1),
  languages: z.record(z.string(), z.number().positive()).default({ en: 65, zh: 20 }),
  seed: z.number().int().default(0),
  maxTokens: z.number().int().min(1).default(512),
  temperature: z.number().min(0).max(2).default(0.7),
  maxSide: z.number().int().min(28).max(4096).default(1024),
  minChars: z.number().int().min(0).default(20),
  maxChars: z.number().int().min(1).default(3500),
  maxRepetition: z.number().min(0).max(1).default(0.3),
  maxAttempts: z.number().int().min(1).max(10).default(2),
  maxErrorRate: z.number().min(0).max(1).default(0.01),
  samplesPerShard: z.number().int().min(1).default(1000),
});

/** How to reach the endpoint; changes no caption. */
export interface CaptionTransport extends Omit<Endpoint, 'model'> {
  /** Price of a million tokens: of prompts, of answers. */
  readonly prices?: readonly [prompt: number, completion: number];
}
