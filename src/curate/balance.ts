// Concept balancing of samples in memory: rare concepts are drawn more often than frequent ones.
// Pure; every coin is a hash of (uid, seed), so that neither order nor sharding matters. The rules
// are in balance/; millions of rows on disk go through balance/balance-columns.ts.
import { createCensus } from './balance/census.ts';
import { type BalancePlan, createPlanner, type ExpectedSize } from './balance/plan.ts';
import { type BalanceItem, batchOfItems, type RowBatch } from './balance/rows.ts';
import type { BalanceConfig } from './config.ts';

export type { BalanceItem, ExpectedSize };

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
  const { batch, names } = batchOfItems(items);
  const plan = planBatch(batch, names.length, config, seed);
  const scores = Float64Array.from(items, (_, row) => plan.score(batch, row));
  return { scores, copies: plan.copies(batch), expected: plan.expected };
}

function planBatch(
  batch: RowBatch,
  numConcepts: number,
  config: BalanceConfig,
  seed: number,
): BalancePlan {
  const census = createCensus(numConcepts, config.rule === 'metaclip-t');
  census.add(batch);
  const planner = createPlanner(census.take(), config, seed);
  planner.add(batch);
  return planner.plan();
}
