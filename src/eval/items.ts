// The items of a benchmark: questions with their answers and pictures, by the number of their row. Types
// only; data/ has what opens them.
import type { Message, SampleImage } from '../sample/sample.ts';
import type { AnsweredItem } from './scorers/scorer.ts';

/** One question with its answer. */
export interface EvalItem {
  readonly uid: string;
  readonly group: string;
  /** The first concept that curation matched in its label. */
  readonly concept?: string | undefined;
  /** The conversation before the question that is measured. */
  readonly context: readonly Message[];
  readonly images: readonly SampleImage[];
  /** The question as the data have it, `<image>` included; for a table the whole turn as asked. */
  readonly question: string;
  readonly answer: string;
  readonly options?: readonly string[] | undefined;
  /** What scoring sees, where replies are kept and scored by profiles. */
  readonly scored?: AnsweredItem;
  /** Why it cannot be asked at all: it has no picture, or no usable one. */
  readonly fault?: string;
}

/** Items that lie on this disk. */
export interface ItemSource {
  /** Hash of the bytes of the data. */
  readonly dataHash: string;
  /** The commit that the data were fetched at, where that is known. */
  readonly revision?: string | undefined;
  readonly numRows: number;
  /** What is not as it should be and yet no error: counts that were never checked, a part only. */
  readonly warnings: readonly string[];
  /** Items of the rows [from, to), in order. @throws OneVisionError 'data' for a damaged file */
  read(from: number, to: number): AsyncGenerator<EvalItem, void, undefined>;
  [Symbol.dispose](): void;
}

export interface OpenItemsOptions {
  /** Take what is there: a wrong number of items is a warning, no error. */
  readonly partial?: boolean | undefined;
  /** Remembers hashes of large files by their size and time. */
  readonly hashCache?: string | undefined;
}
