// What a filter is: a name, a score of the sample's facts, and a verdict on the score.
// A filter sees no other sample, except through the counts in its facts.

/** What the survey of a sample has found; the image itself is gone by then. */
export interface Facts {
  /** The assistant's words, all turns. */
  readonly caption: string;
  /** `meta.label` where the source gives one, else the caption. */
  readonly title: string;
  /** How many samples of the same source have this title. */
  readonly numTitleUses: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Largest difference of any colour channel within the image, 0–255. */
  readonly spread: number;
  /** `meta` values that are texts, by field name. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Filter {
  /** Also the reason in the ledger. */
  readonly name: string;
  /** A number for the ledger; its meaning is the filter's. */
  score(facts: Facts): number;
  /** Whether a sample with this score stays. */
  accepts(score: number): boolean;
}
