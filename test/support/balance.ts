// Concept balancing of samples in memory, for tests and benches: the rules of src/curate/balance on
// a list. Curation itself balances columns, a batch at a time.
import { createCensus } from '../../src/curate/balance/census.ts';
import { createPlanner, type ExpectedSize } from '../../src/curate/balance/plan.ts';
import { coinOf, type RowBatch } from '../../src/curate/balance/rows.ts';
import type { BalanceConfig } from '../../src/curate/config.ts';

/** A sample as balancing sees it. */
export interface BalanceItem {
  readonly uid: string;
  readonly concepts: readonly string[];
  /** Of its text; only `metaclip-t` asks. */
  readonly language?: string | undefined;
}

export interface Balanced {
  /** Weight of each sample, or its keep probability. */
  readonly scores: Float64Array;
  /** How often each sample is drawn. */
  readonly copies: Uint32Array;
  readonly expected: ExpectedSize;
}

/** How often each sample is drawn under the settings. */
export function balance(
  items: readonly BalanceItem[],
  config: BalanceConfig,
  seed: number,
): Balanced {
  const { batch, numConcepts } = batchOfItems(items);
  const census = createCensus(numConcepts, config.rule === 'metaclip-t');
  census.add(batch);
  const planner = createPlanner(census.take(), config, seed);
  planner.add(batch);
  const plan = planner.plan();
  const scores = Float64Array.from(items, (_, row) => plan.score(batch, row));
  return { scores, copies: plan.copies(batch), expected: plan.expected };
}

/** Counts each concept once a sample. `copies[i]` = how often sample i counts (default once). */
export function countConcepts(
  items: readonly BalanceItem[],
  copies?: ArrayLike<number>,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [i, item] of items.entries()) {
    const times = copies === undefined ? 1 : (copies[i] ?? 0);
    if (times === 0) continue;
    for (const concept of item.concepts) counts.set(concept, (counts.get(concept) ?? 0) + times);
  }
  return counts;
}

/** All samples as one batch; concepts get ids in order of appearance. */
function batchOfItems(items: readonly BalanceItem[]): {
  readonly batch: RowBatch;
  readonly numConcepts: number;
} {
  const ids = new Map<string, number>();
  const offsets = new Uint32Array(items.length + 1);
  const concepts: number[] = [];
  for (const [row, item] of items.entries()) {
    for (const concept of item.concepts) {
      const id = ids.get(concept) ?? ids.size;
      if (id === ids.size) ids.set(concept, id);
      concepts.push(id);
    }
    offsets[row + 1] = concepts.length;
  }
  const batch = {
    numRows: items.length,
    uid: (row: number) => items[row]?.uid ?? '',
    coin: (row: number, seed: number) => coinOf(items[row]?.uid ?? '', seed),
    language: (row: number) => items[row]?.language ?? '',
    offsets,
    concepts: Int32Array.from(concepts),
  };
  return { batch, numConcepts: ids.size };
}
