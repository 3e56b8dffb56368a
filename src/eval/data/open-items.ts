// Opens the data of a benchmark: a folder of samples or a table on the hub.
import { readConceptTable } from '../../sample/concept-table.ts';
import type { Benchmark } from '../benchmark.ts';
import type { EvalItem, ItemSource, OpenItemsOptions } from '../items.ts';
import type { ConceptCounts } from '../statistics/bands.ts';
import { openSampleItems } from './sample-items.ts';
import { openTableItems } from './table-items.ts';

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
