// Which planner is used: random draws first; where they leave a gap, best-fit-decreasing, patterns and
// minimum slack too, and the plan with the fewest packs is kept.

import { bestFitDecreasing, decreasing, OpenPacks } from './best-fit.ts';
import { drawPacks } from './drawn.ts';
import { packByPatterns, relaxationBound } from './patterns.ts';
import { type Packs, type Problem, toPacks } from './problem.ts';
import { minimumBinSlack } from './slack.ts';

export type Method = 'drawn' | 'best-fit' | 'patterns' | 'slack';

interface Plan {
  readonly packs: Packs;
  readonly method: Method;
}

export interface Solution extends Plan {
  /** No plan has fewer packs. */
  readonly lowerBound: number;
}

/** Gap to the bound at which the other planners are asked as well. */
const GOOD_GAP = 0.0005;
/** Samples in a pack up to which minimum slack is tried too. */
const FEW = 4;

/** Packs all samples of a problem, of which a lower bound is known. */
export function solve(problem: Problem, bound: number): Solution {
  const drawn = drawPacks(problem);
  if (drawn.numPacks <= bound * (1 + GOOD_GAP)) {
    return { packs: drawn, method: 'drawn', lowerBound: bound };
  }
  const lowerBound = Math.max(bound, relaxationBound(problem.histogram, problem.leadCapacity));
  let best: Plan = { packs: bestFitDecreasing(problem), method: 'best-fit' };
  if (problem.side === undefined && segmentsNeverBind(problem)) {
    best = better({ packs: packByPatterns(problem), method: 'patterns' }, best);
    const { numPacks } = best.packs;
    if (numPacks > lowerBound && problem.numItems <= FEW * numPacks) {
      best = better(best, { packs: minimumBinSlack(problem), method: 'slack' });
    }
  }
  // Drawn packs mix the sources best, so one pack more, or the gap that counts as none, is no loss.
  const least = best.packs.numPacks;
  const isClose = drawn.numPacks <= Math.max(least + 1, least * (1 + GOOD_GAP));
  return { ...(isClose ? { packs: drawn, method: 'drawn' } : best), lowerBound };
}

/** The plan with fewer packs; the first of equals. */
function better(first: Plan, second: Plan): Plan {
  return second.packs.numPacks < first.packs.numPacks ? second : first;
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
