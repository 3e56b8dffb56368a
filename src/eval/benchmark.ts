// What a benchmark is: data, prompt, scorer, decoding and denominator. Types only, no running.
import type { Decoding } from './eval-model.ts';
import type { Normaliser } from './scorers/normalise.ts';

/**
 * How options are compared, lower is better:
 * - `mean-loss`: −log p(option) per token, so long options are not punished;
 * - `sum-loss`: −log p(option) in all;
 * - `pmi`: the mean loss minus the mean loss under a blank picture, so that an option which is
 *   likely anyway (a common phrase, a memorised caption) gains nothing from that.
 */
export type ChoiceRule = 'mean-loss' | 'sum-loss' | 'pmi';

/** Picks the option the model finds most likely; nothing is generated. */
export interface ChoiceScorer {
  readonly kind: 'choice';
  readonly rule: ChoiceRule;
}

/** Generates a reply and compares it with the answer after normalising both. */
export interface ExactScorer {
  readonly kind: 'exact';
  readonly normaliser: Normaliser;
  /** The closed list of answers, where there is one: another reply is `unparsed`. */
  readonly answers?: readonly string[];
  readonly decoding: Decoding;
}

/** One benchmark, as data. A changed field changes the identity of every score made with it. */
export interface Benchmark {
  /** Folder name of its results: `eval/<name>/`. */
  readonly name: string;
  /** One line for the table. */
  readonly title: string;
  /** Folder of the items under the data root; a sample folder with a manifest. */
  readonly data: string;
  /** The user's turn; `{question}` is the question of the item, `<image>` included. */
  readonly prompt: string;
  readonly scorer: ChoiceScorer | ExactScorer;
  /** The number the correct ones are divided by: all items of the manifest, or a fixed count. */
  readonly denominator: 'manifest' | number;
  /** `group`: items of one group (drawings of one concept) are not independent. */
  readonly clusters: 'none' | 'group';
  /** Accuracy of guessing, for the table; absent where guessing is not a number. */
  readonly chance?: number;
}
