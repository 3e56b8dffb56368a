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

export function countOutcomes(
  rows: readonly { readonly outcome: Outcome }[],
): Record<Outcome, number> {
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  for (const { outcome } of rows) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts as Record<Outcome, number>;
}

/** What a scorer says about one item. */
export interface Verdict {
  readonly outcome: Outcome;
  /** The option chosen, or the reply as it was written. */
  readonly prediction: string;
  /** One number an option, lower is better; only for choices. */
  readonly losses?: readonly number[];
}

/** A reply as it was written, with what any profile needs to score it without the data. */
export interface StoredReply {
  readonly truncated: boolean;
  /** The model's own filter stopped it. */
  readonly refused?: boolean | undefined;
  /** Why no reply came. */
  readonly failure?: string | undefined;
  readonly item: StoredItem;
  /** Hash of all that was asked, pictures included: equal requests are seen by it. */
  readonly request: string;
  /** What a judge says, where one was asked. */
  readonly verdict?: StoredVerdict | undefined;
  /** What each profile makes of it. */
  readonly marks?: Readonly<Record<string, StoredMark>> | undefined;
}

/** 0 or 1, or why there is no verdict. */
export interface StoredVerdict {
  readonly score?: 0 | 1 | undefined;
  /** The answer that the judge read out of the reply. */
  readonly parsed?: string | undefined;
  readonly failure?: string | undefined;
  /** `random-fallback`: the judge could not be read, so the original draws. */
  readonly faults?: readonly string[] | undefined;
}

/** What scoring sees of the data; the `AnsweredItem` of `scorers/scorer.ts`. */
export interface StoredItem {
  readonly uid: string;
  readonly answers: readonly string[];
  readonly options?: readonly string[] | undefined;
  readonly question?: string | undefined;
  readonly columns?: Readonly<Record<string, string>> | undefined;
}

export interface StoredMark {
  readonly score: number;
  readonly outcome: Outcome;
  readonly parsed?: string | undefined;
  readonly faults?: readonly string[] | undefined;
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
  /** Why it was skipped or has no reply. */
  readonly reason?: string | undefined;
  /** 0 to 1, where a reply is scored by profiles. */
  readonly score?: number | undefined;
  /** The answer read out of the reply. */
  readonly parsed?: string | undefined;
  readonly reply?: StoredReply | undefined;
}

/** How an interval was made; `statistics/` has the formulas. */
export const INTERVAL_METHODS = [
  'wilson',
  'cluster-bootstrap',
  'cluster-robust',
  'macro-robust',
] as const;

/** `summary.json`: a score with everything that is needed to believe it. */
export interface Summary {
  readonly format: 'onevision-eval/1';
  readonly benchmark: string;
  readonly title: string;
  /** Hash over benchmark, scorer version, data and weights: equal hash, comparable number. */
  readonly identity: string;
  /** Hash of the asking alone: replies with one of these may be scored anew without asking. */
  readonly asked?: string | undefined;
  /** How it was scored, in words: `choice by pmi`. */
  readonly scorer: string;
  /** The denominator. */
  readonly items: number;
  readonly correct: number;
  readonly accuracy: number;
  /** 95 %. */
  readonly interval: Interval;
  readonly intervalMethod: (typeof INTERVAL_METHODS)[number];
  /** Accuracy of guessing, or of `constantAnswers`. */
  readonly chance?: number | undefined;
  /** The best fixed answer to each kind of question, where that was measured. */
  readonly constantAnswers?: Readonly<Record<string, string>> | undefined;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly bands?: Bands | undefined;
  /** Where replies are captions: 0 to 1, and 0 to 10. */
  readonly captions?: CaptionScores | undefined;
  /** The same of `constantAnswers`. */
  readonly constantCaptions?: CaptionScores | undefined;
  /** Where replies are scored by profiles. */
  readonly replies?: ReplySummary | undefined;
  /** What to know before the number is believed: a part of the data, a lower token limit, … */
  readonly warnings?: readonly string[] | undefined;
}

export interface CaptionScores {
  readonly bleu4: number;
  readonly cider: number;
}

/** What stands behind a score of kept replies. `accuracy` and `items` are those of `profile`. */
export interface ReplySummary {
  readonly profile: string;
  /** Of all profiles, over the same stored replies. */
  readonly profiles: Readonly<Record<string, ProfileScore>>;
  readonly counts: {
    /** Items that the data set should ask. */
    readonly expected: number;
    readonly asked: number;
    /** Different requests among those that the profile counts. */
    readonly unique: number;
    /** Items whose answers are not public. */
    readonly hidden: number;
    /** Items that not all profiles score alike. */
    readonly disputed: number;
  };
  readonly dataHash: string;
  /** Commit of the data, where the download noted it. */
  readonly revision?: string | undefined;
  /** Hash of every question as it was asked. */
  readonly promptHash: string;
  readonly scoringVersion: number;
}

export interface ProfileScore {
  /** 0 to 1; null where it cannot be computed, for `reason`. */
  readonly score: number | null;
  readonly denominator: number;
  readonly items: number;
  readonly reason?: string | undefined;
}

const markSchema: z.ZodType<StoredMark> = z.strictObject({
  score: z.number(),
  outcome: z.enum(OUTCOMES),
  parsed: z.string().optional(),
  faults: z.array(z.string()).optional(),
});

const replySchema: z.ZodType<StoredReply> = z.strictObject({
  truncated: z.boolean(),
  refused: z.boolean().optional(),
  failure: z.string().optional(),
  item: z.strictObject({
    uid: z.string(),
    answers: z.array(z.string()),
    options: z.array(z.string()).optional(),
    question: z.string().optional(),
    columns: z.record(z.string(), z.string()).optional(),
  }),
  request: z.string(),
  verdict: z
    .strictObject({
      score: z.union([z.literal(0), z.literal(1)]).optional(),
      parsed: z.string().optional(),
      failure: z.string().optional(),
      faults: z.array(z.string()).optional(),
    })
    .optional(),
  marks: z.record(z.string(), markSchema).optional(),
});

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
  score: z.number().optional(),
  parsed: z.string().optional(),
  reply: replySchema.optional(),
});

const bandSchema = z
  .strictObject({ items: z.number(), correct: z.number(), accuracy: z.number() })
  .optional();

const replySummarySchema: z.ZodType<ReplySummary> = z.strictObject({
  profile: z.string(),
  profiles: z.record(
    z.string(),
    z.strictObject({
      score: z.number().nullable(),
      denominator: z.number(),
      items: z.number(),
      reason: z.string().optional(),
    }),
  ),
  counts: z.strictObject({
    expected: z.number(),
    asked: z.number(),
    unique: z.number(),
    hidden: z.number(),
    disputed: z.number(),
  }),
  dataHash: z.string(),
  revision: z.string().optional(),
  promptHash: z.string(),
  scoringVersion: z.number(),
});

const captionScoresSchema = z.strictObject({ bleu4: z.number(), cider: z.number() });

export const summarySchema: z.ZodType<Summary> = z.strictObject({
  format: z.literal('onevision-eval/1'),
  benchmark: z.string(),
  title: z.string(),
  identity: z.string(),
  asked: z.string().optional(),
  scorer: z.string(),
  items: z.number(),
  correct: z.number(),
  accuracy: z.number(),
  interval: z.strictObject({ low: z.number(), high: z.number() }),
  intervalMethod: z.enum(INTERVAL_METHODS),
  chance: z.number().optional(),
  constantAnswers: z.record(z.string(), z.string()).optional(),
  outcomes: z.record(z.enum(OUTCOMES), z.number()),
  bands: z
    .strictObject({
      head: bandSchema,
      middle: bandSchema,
      tail: bandSchema,
      unseen: bandSchema,
    })
    .optional(),
  captions: captionScoresSchema.optional(),
  constantCaptions: captionScoresSchema.optional(),
  replies: replySummarySchema.optional(),
  warnings: z.array(z.string()).optional(),
});
