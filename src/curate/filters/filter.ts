// What a filter is: a name, a score of the sample's facts, and a verdict on the score.
// Scores are measured by the survey and kept; thresholds are applied later, without the image.
import type { Look } from '../survey/look.ts';

/** What a filter may look at. */
export interface Facts {
  /** The assistant's words, all turns. */
  readonly caption: string;
  /** `meta.label` where the source gives one, else the caption. */
  readonly title: string;
  /** All words of the conversation, for what looks for copied text. */
  readonly conversation: string;
  /** Of the first image; null for a sample without one. */
  readonly look: Look | null;
  /** ISO 639-1 code → how well the caption fits, 0–1. */
  readonly languages: Readonly<Record<string, number>>;
  /** `meta` values that are texts, by field name. */
  readonly labels: Readonly<Record<string, string>>;
  /** Cosine of image and caption, where an embedder is wired. */
  readonly agreement: number | null;
  /** Scores of the hooks, by name. */
  readonly hooks: Readonly<Record<string, number>>;
}

export interface Filter {
  /** Also the reason in the ledger. */
  readonly name: string;
  /** The threshold in words, for ledger and report: `>= 28`. */
  readonly limit: string;
  /** A number whose meaning is the filter's; null where it does not apply. */
  score(facts: Facts): number | null;
  /** Whether a sample with this score stays. */
  accepts(score: number): boolean;
}

/** A filter whose samples stay at or above a number. */
export function atLeast(name: string, min: number, score: Filter['score']): Filter {
  return { name, limit: `>= ${min}`, score, accepts: (value) => value >= min };
}

/** A filter whose samples stay at or below a number. */
export function atMost(name: string, max: number, score: Filter['score']): Filter {
  return { name, limit: `<= ${max}`, score, accepts: (value) => value <= max };
}
