// The contract of scoring: one stored reply, one item, one profile → score and typed outcome.
// A scoring is data: which pure rule each profile uses, and how items become one number.
import type { Outcome } from '../outcome.ts';
import type { Aggregator } from './aggregate.ts';

/**
 * Whose rules score.
 * - `strict`: ours, the default. No guess, no random draw, no answer read out of prose by accident.
 * - `official`: the benchmark's own script where it has one, else VLMEvalKit's rule.
 * - `lmms-v0.5`: the code of the paper, its faults included and named (PyPI lmms-eval 0.5.0).
 * - `lmms-head`: lmms-eval as it is now (PyPI 0.7.3).
 */
export const PROFILES = ['strict', 'official', 'lmms-v0.5', 'lmms-head'] as const;
export type Profile = (typeof PROFILES)[number];

export const FAMILIES = [
  'choice',
  'short-answer',
  'count',
  'contains',
  'math',
  'judge',
  'box',
] as const;
export type Family = (typeof FAMILIES)[number];

/** What a rule did that is not scoring; with it a score is explained, not excused. */
export type Fault =
  /** Nothing was found, so the original draws a letter. Here: a seeded draw, the outcome `unparsed`. */
  | 'random-fallback'
  /** The whole reply is compared, unparsed (MMMU-Pro vision). */
  | 'raw-equality'
  /** A list of candidates was read letter by letter (MMMU open questions). */
  | 'characters-as-candidates'
  /** Prediction lower-cased, answer not (OCRBench HME100k at v0.5). */
  | 'case-mismatch'
  /** The nearest option by edit distance stands in for an answer (MathVista). */
  | 'nearest-option'
  /** An empty reply was given an option (MME-RealWorld). */
  | 'empty-is-an-option'
  /** A failed judge counts −1 in the mean (CharXiv). */
  | 'judge-failure-counts';

/** One item as scoring sees it. */
export interface AnsweredItem {
  readonly uid: string;
  /** Accepted answers; for a choice its letter. Any of them is right. */
  readonly answers: readonly string[];
  /** Texts of the options, A first. */
  readonly options?: readonly string[] | undefined;
  /** The question as the data have it (RealWorldQA's options stand in it). */
  readonly question?: string | undefined;
  /**
   * Columns of the data that scoring or aggregation reads, as text: `dataset`, `question_type`,
   * `answer_type`, `precision`, `category`, `l2_category`, `source`, `ID`, `key`, `index`.
   */
  readonly columns?: Readonly<Record<string, string>> | undefined;
}

/** What was written. `truncated`: cut at the limit of new tokens. */
export interface WrittenReply {
  readonly text: string;
  readonly truncated?: boolean | undefined;
}

/** What a rule found. Rules are pure: the same text and item give the same finding for ever. */
export interface Finding {
  /** 0 to 1; partial only for ANLS. */
  readonly score: number;
  /** The answer read out of the reply; undefined where none was found. */
  readonly parsed: string | undefined;
  readonly faults?: readonly Fault[];
  /** No rule could read the reply and the original would ask a judge now. */
  readonly needsJudge?: boolean;
}

export type Rule = (text: string, item: AnsweredItem) => Finding;

/** The score of one item under one profile. */
export interface Mark {
  readonly score: number;
  readonly outcome: Outcome;
  readonly parsed: string | undefined;
  readonly faults: readonly Fault[];
  readonly needsJudge: boolean;
}

/** Something for every profile. */
export type ByProfile<T> = Readonly<Record<Profile, T>>;

/** How one benchmark is scored. Raise `version` when any of its rules changes: a test insists. */
export interface Scoring {
  readonly family: Family;
  readonly version: number;
  readonly rules: ByProfile<Rule>;
  readonly aggregators: ByProfile<Aggregator>;
}

const REFUSALS =
  /^(?:(?:i['’]?m|i am) (?:very )?sorry\b|sorry[,.]|i apologi[sz]e\b|(?:unfortunately[, ]+)?(?:i (?:can(?:no|['’])t|am (?:not able|unable)|['’]m (?:not able|unable))|i'm unable)\b|as an ai\b|抱歉|对不起|很抱歉)/i;

/** True for a reply that declines to answer. */
export function isRefusal(text: string): boolean {
  return REFUSALS.test(text.trim());
}

/**
 * Scores one stored reply.
 *
 * `strict` gives a truncated reply no credit; the other profiles score what stands there, as the
 * originals do, and only name the outcome. `correct` means a score above 0 (ANLS keeps its part).
 */
export function scoreReply(
  scoring: Scoring,
  reply: WrittenReply,
  item: AnsweredItem,
  profile: Profile = 'strict',
): Mark {
  const finding = scoring.rules[profile](reply.text, item);
  const truncated = reply.truncated === true;
  const score = truncated && profile === 'strict' ? 0 : finding.score;
  return {
    score,
    outcome: outcomeOf(finding, score, truncated, reply.text),
    parsed: finding.parsed,
    faults: finding.faults ?? [],
    needsJudge: finding.needsJudge === true && !truncated,
  };
}

function outcomeOf(
  { parsed, faults }: Finding,
  score: number,
  truncated: boolean,
  text: string,
): Outcome {
  const guessed = faults?.includes('random-fallback') === true;
  if (score > 0 && !guessed) return 'correct';
  if (truncated) return 'truncated';
  if (parsed !== undefined && !guessed) return 'wrong';
  return isRefusal(text) ? 'refused' : 'unparsed';
}

/** An item that has no reply, and why: it stays in the denominator with score 0. */
export function noReply(outcome: 'model-error' | 'judge-error' | 'skipped'): Mark {
  return { score: 0, outcome, parsed: undefined, faults: [], needsJudge: false };
}
