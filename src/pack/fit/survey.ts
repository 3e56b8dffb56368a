// One look at all lengths before planning: what fits, what binds, and how many packs it takes at least.

import { lowerBound } from './bounds.ts';
import type { Problem } from './problem.ts';

/** Needs in both budgets and what a pack holds of each. */
export interface Needs {
  /** `[samples]` */
  readonly tokens: Uint32Array;
  /** `[samples]` */
  readonly patches: Uint32Array;
  readonly maxTokens: number;
  readonly maxPatches: number;
  readonly segments: number;
}

/** The same samples seen from each budget, and which of the two is in shorter supply. */
export interface Survey {
  readonly byTokens: Problem;
  readonly byPatches: Problem;
  readonly leads: 'tokens' | 'patches';
  /** No plan has fewer packs. */
  readonly bound: number;
  /** Samples without images that fit. */
  readonly numText: number;
  /** Tokens of the samples that fit. */
  readonly numTokens: number;
}

/** @param items samples to look at; undefined: all. */
export function survey(needs: Needs, items: Uint32Array | undefined, seed: number): Survey {
  const { tokens, patches, maxTokens, maxPatches, segments } = needs;
  const tokenHits = new Uint32Array(maxTokens + 1);
  const patchHits = new Uint32Array(maxPatches + 1);
  let tokensRefuse = false;
  let patchesRefuse = false;
  const total = items?.length ?? tokens.length;
  for (let i = 0; i < total; i += 1) {
    const sample = items === undefined ? i : (items[i] ?? 0);
    const token = tokens[sample] ?? 0;
    const patch = patches[sample] ?? 0;
    if (token > maxTokens || patch > maxPatches) {
      if (token <= maxTokens) patchesRefuse = true;
      if (patch <= maxPatches) tokensRefuse = true;
      continue;
    }
    tokenHits[token] = (tokenHits[token] ?? 0) + 1;
    patchHits[patch] = (patchHits[patch] ?? 0) + 1;
    const excess = patch * maxTokens - token * maxPatches;
    if (excess > 0) patchesRefuse = true;
    else if (excess < 0) tokensRefuse = true;
  }
  const [tokenCounts, patchCounts] = [new Float64Array(tokenHits), new Float64Array(patchHits)];
  const numItems = tokenCounts.reduce((sum, count) => sum + count, 0);
  const [sumTokens, sumPatches] = [totalOf(tokenCounts), totalOf(patchCounts)];
  const numText = patchCounts[0] ?? 0;
  const common = { items, segments, seed };
  return {
    byTokens: {
      ...common,
      lead: tokens,
      side: patchesRefuse ? patches : undefined,
      leadCapacity: maxTokens,
      sideCapacity: maxPatches,
      numItems,
      histogram: tokenCounts,
    },
    byPatches: {
      ...common,
      lead: patches,
      side: tokensRefuse ? tokens : undefined,
      leadCapacity: maxPatches,
      sideCapacity: maxTokens,
      numItems: numItems - numText,
      histogram: patchCounts,
    },
    leads: sumTokens * maxPatches >= sumPatches * maxTokens ? 'tokens' : 'patches',
    bound: Math.max(
      lowerBound(tokenCounts, maxTokens),
      lowerBound(patchCounts, maxPatches),
      Math.ceil(numItems / segments),
    ),
    numText,
    numTokens: sumTokens,
  };
}

/** Summed length of the items of a histogram. */
function totalOf(counts: Float64Array): number {
  return counts.reduce((sum, count, length) => sum + count * length, 0);
}
