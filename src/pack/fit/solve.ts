// Which planner is used: random draws first; where they leave a gap, best-fit-decreasing and patterns
// too, and the plan with the fewest packs is kept.

import { bestFitDecreasing, decreasing, OpenPacks } from './best-fit.ts';
import { drawPacks } from './drawn.ts';
import { packByPatterns, relaxationBound } from './patterns.ts';
import { type Packs, type Problem, toPacks } from './problem.ts';

export type Method = 'drawn' | 'best-fit' | 'patterns';

export interface Solution {
  readonly packs: Packs;
  readonly method: Method;
  /** No plan has fewer packs. */
  readonly lowerBound: number;
}

/** Gap to the bound at which the other planners are asked as well. */
const GOOD_GAP = 0.0005;

/** Packs all samples of a problem, of which a lower bound is known. */
export function solve(problem: Problem, bound: number): Solution {
  const drawn = drawPacks(problem);
  if (drawn.numPacks <= bound * (1 + GOOD_GAP)) {
    return { packs: drawn, method: 'drawn', lowerBound: bound };
  }
  const relaxed = relaxationBound(problem.histogram, problem.leadCapacity);
  const plans: { packs: Packs; method: Method }[] = [];
  if (problem.side === undefined && segmentsNeverBind(problem)) {
    plans.push({ packs: packByPatterns(problem), method: 'patterns' });
  }
  plans.push({ packs: bestFitDecreasing(problem), method: 'best-fit' });
  // Drawn packs mix the sources best, so one pack more, or the gap that counts as none, is no loss.
  const least = Math.min(...plans.map(({ packs }) => packs.numPacks));
  const tolerated = Math.max(least + 1, least * (1 + GOOD_GAP));
  const best =
    drawn.numPacks <= tolerated
      ? { packs: drawn, method: 'drawn' as const }
      : plans.find(({ packs }) => packs.numPacks === least);
  return {
    ...(best ?? { packs: drawn, method: 'drawn' }),
    lowerBound: Math.max(bound, relaxed),
  };
}

/**
 * Puts the samples without images, longest first, beside those with: each into the pack with the
 * least room for tokens that takes it.
 *
 * @param packs all samples with images.
 */
export function addText(
  packs: Packs,
  byTokens: Problem,
  byPatches: Problem,
  numText: number,
): Packs {
  if (numText === 0) return packs;
  const { lead: tokens, leadCapacity, segments } = byTokens;
  const open = new OpenPacks({ leadCapacity, sideCapacity: 0, segments });
  const numPlaced = packs.members.length;
  const order = new Uint32Array(numPlaced + numText);
  const packAt = new Int32Array(order.length);
  order.set(packs.members);
  for (let pack = 0; pack < packs.numPacks; pack += 1) {
    const from = packs.starts[pack] ?? 0;
    const to = packs.starts[pack + 1] ?? 0;
    packAt.fill(pack, from, to);
    let room = leadCapacity;
    for (let i = from; i < to; i += 1) room -= tokens[order[i] ?? 0] ?? 0;
    open.open(room, 0, segments - (to - from));
  }
  let cursor = numPlaced;
  for (const sample of decreasing(byTokens)) {
    if (byPatches.lead[sample] !== 0) continue;
    order[cursor] = sample;
    packAt[cursor] = open.place(tokens[sample] ?? 0, 0);
    cursor += 1;
  }
  return toPacks(order, packAt, open.count);
}

function segmentsNeverBind({ histogram, leadCapacity, segments }: Problem): boolean {
  const shortest = histogram.findIndex((count, length) => length > 0 && count > 0);
  return shortest < 0 || Math.floor(leadCapacity / shortest) <= segments;
}
