// The typed result of one item and the summary of a benchmark, as they lie on disk.
import * as z from 'zod';
import type { Bands } from './statistics/bands.ts';
import type { Interval } from './statistics/intervals.ts';

/**
 * What became of an item. Only `correct` counts as right; all of them stay in the denominator.
 * - `unparsed`: the reply is not an answer of the expected form
 * - `truncated`: the reply was cut at `maxNewTokens`
 * - `refused`: the reply declines to answer
 * - `model-error`: the model or endpoint gave no reply; `judge-error`: the judge gave no verdict
 * - `skipped`: the item could not be asked (broken picture); `reason` says why
 */
export const OUTCOMES = [
  'correct',
  'wrong',
  'unparsed',
  'truncated',
  'refused',
  'model-error',
  'judge-error',
  'skipped',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a scorer says about one item. */
export interface Verdict {
  readonly outcome: Outcome;
  /** The option chosen, or the reply as it was written. */
  readonly prediction: string;
  /** One number an option, lower is better; only for choices. */
  readonly losses?: readonly number[];
}

/** One line of `samples.jsonl`. */
export interface ItemResult {
  readonly uid: string;
  readonly group: string;
  /** The concept by which its frequency band is found, where it is known. */
  readonly concept?: string | undefined;
  readonly question: string;
  readonly answer: string;
  readonly options?: readonly string[] | undefined;
  readonly prediction: string;
  readonly outcome: Outcome;
  readonly losses?: readonly number[] | undefined;
  /** Why it was skipped. */
  readonly reason?: string | undefined;
}

/** `summary.json`: a score with everything that is needed to believe it. */
export interface Summary {
  readonly format: 'onevision-eval/1';
  readonly benchmark: string;
  readonly title: string;
  /** Hash over benchmark, scorer version, data and weights: equal hash, comparable number. */
  readonly identity: string;
  /** How it was scored, in words: `choice by pmi`. */
  readonly scorer: string;
  /** The denominator. */
  readonly items: number;
  readonly correct: number;
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: Interval;
  readonly intervalMethod: 'wilson' | 'cluster-bootstrap';
  readonly chance?: number | undefined;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly bands?: Bands | undefined;
}

export const itemResultSchema: z.ZodType<ItemResult> = z.strictObject({
  uid: z.string(),
  group: z.string(),
  concept: z.string().optional(),
  question: z.string(),
  answer: z.string(),
  options: z.array(z.string()).optional(),
  prediction: z.string(),
  outcome: z.enum(OUTCOMES),
  losses: z.array(z.number()).optional(),
  reason: z.string().optional(),
});

const bandSchema = z
  .strictObject({ items: z.number(), correct: z.number(), accuracy: z.number() })
  .optional();

export const summarySchema: z.ZodType<Summary> = z.strictObject({
  format: z.literal('onevision-eval/1'),
  benchmark: z.string(),
  title: z.string(),
  identity: z.string(),
  scorer: z.string(),
  items: z.number(),
  correct: z.number(),
  accuracy: z.number(),
  interval: z.strictObject({ low: z.number(), high: z.number() }),
  intervalMethod: z.enum(['wilson', 'cluster-bootstrap']),
  chance: z.number().optional(),
  outcomes: z.record(z.enum(OUTCOMES), z.number()),
  bands: z
    .strictObject({
      head: bandSchema,
      middle: bandSchema,
      tail: bandSchema,
      unseen: bandSchema,
    })
    .optional(),
});
