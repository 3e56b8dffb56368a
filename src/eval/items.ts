// The items of a benchmark: questions with their answers and pictures, by the number of their row,
// from a folder of samples or a table on the hub.
import { readConceptTable } from '../sample/concept-table.ts';
import type { Message, SampleImage } from '../sample/sample.ts';
import type { Benchmark } from './benchmark.ts';
import { openSampleItems } from './data/sample-items.ts';
import { openTableItems } from './data/table-items.ts';
import type { AnsweredItem } from './scorers/scorer.ts';
import type { ConceptCounts } from './statistics/bands.ts';

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

/**
 * Opens the data of a benchmark and checks what can be checked without reading all of it.
 * @throws OneVisionError 'data' when they are missing, lack a column, or are not whole
 */
export async function openItems(
  benchmark: Benchmark,
  dataRoot: string,
  options: OpenItemsOptions = {},
): Promise<ItemSource> {
  return typeof benchmark.data === 'string'
    ? openSampleItems(benchmark, dataRoot, benchmark.data, options)
    : openTableItems(benchmark, dataRoot, benchmark.data, options);
}

/** All items in order. @throws as `openItems` */
export async function* readItems(
  benchmark: Benchmark,
  dataRoot: string,
): AsyncGenerator<EvalItem, void, undefined> {
  using source = await openItems(benchmark, dataRoot, { partial: true });
  yield* source.read(0, source.numRows);
}

/**
 * How many clean training samples carry each concept: the counts of a curated folder after filters
 * and deduplication, before balancing, so that models trained with and without it compare.
 * @throws OneVisionError `data` when the folder has no concept table
 */
export function readConceptCounts(curated: string): ConceptCounts {
  return new Map([...readConceptTable(curated)].map(([concept, count]) => [concept, count.clean]));
}
