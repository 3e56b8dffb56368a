// What a benchmark is: data, scorer with its prompts and decoding, denominator. Types only.
import type { TableData } from './data/table-data.ts';
import type { Decoding } from './eval-model.ts';
import type { Normaliser } from './scorers/normalise.ts';
import type { ScoringName } from './scorers/scorings.ts';

/**
 * One log-probability that counts for or against an option. `{question}` and `{option}` are filled
 * in; `weight` times the loss −log p(reply) is added, so a positive weight speaks for the option
 * when the reply is likely.
 */
export interface ChoiceTerm {
  /** The user's turn. */
  readonly prompt: string;
  /** The reply whose likelihood is asked. */
  readonly reply: string;
  /** `token`: the mean over the reply's tokens, so long options are not punished. */
  readonly per: 'token' | 'reply';
  /** `others`: the mean probability over other pictures: how likely is the reply anyway? */
  readonly pictures: 'own' | 'others';
  readonly weight: number;
}

/** Picks the option with the lowest sum of its terms; nothing is generated. */
export interface ChoiceScorer {
  readonly kind: 'choice';
  /** The rule in a few words, for the table: `mean loss`, `PMI`. */
  readonly rule: string;
  readonly terms: readonly ChoiceTerm[];
}

/** Generates a reply and compares it with the answer after normalising both. */
export interface ExactScorer {
  readonly kind: 'exact';
  readonly normaliser: Normaliser;
  /** The user's turn; `{question}` is the question of the item, `<image>` included. */
  readonly prompt: string;
  /** The closed list of answers, where there is one: another reply is `unparsed`. */
  readonly answers?: readonly string[];
  /** Replies are captions: BLEU-4 and CIDEr-D over all items stand beside the share of equal ones. */
  readonly captions?: boolean;
  readonly decoding: Decoding;
}

/** Generates a reply, keeps it as it is, and has it scored by every profile. */
export interface ReplyScorer {
  readonly kind: 'reply';
  /** Name of the rules in `scorers/`. */
  readonly scoring: ScoringName;
  readonly decoding: Decoding;
  /** Which items a profile counts, by their columns; default all. */
  readonly counted?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The groups of the paper's table. */
export const SUITES = ['general', 'reasoning', 'ocr-chart', 'other'] as const;
export type Suite = (typeof SUITES)[number];
/** The sets that the project makes of packages. */
export type PackagedSuite = 'packaged';

/** One benchmark, as data. A changed field changes the identity of every score made with it. */
export interface Benchmark {
  /** Folder name of its results: `eval/<name>/`. */
  readonly name: string;
  /** One line for the table. */
  readonly title: string;
  /** Its group in the paper's table, where it is a row of it, or the packaged sets. */
  readonly suite?: Suite | PackagedSuite;
  /** Of the data. */
  readonly licence?: string;
  /** Folder of samples with a manifest under the data root, or a table on the hub. */
  readonly data: string | TableData;
  readonly scorer: ChoiceScorer | ExactScorer | ReplyScorer;
  /**
   * The number the correct ones are divided by: all items of the manifest, or a fixed count. A table
   * says itself how many there should be.
   */
  readonly denominator?: 'manifest' | number;
  /** `group`: items of one group (drawings of one concept) are not independent. */
  readonly clusters: 'none' | 'group';
  /** Accuracy of guessing, for the table; absent where guessing is not a number. */
  readonly chance?: number;
  /** Have measured what a fixed answer to each kind of question scores, in place of `chance`. */
  readonly baseline?: 'constant';
}
