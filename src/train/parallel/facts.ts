// What a step is made of, over all ranks: each rank counts its packs and tells the others.

import type { LoadedStep } from '../data/loader.ts';
import type { AssembledPack } from '../data/segments.ts';
import { addWork, NO_WORK, type Work, workOf } from '../price/work.ts';
import { ofOwners, type Ranks } from './ranks.ts';

export interface StepFacts {
  readonly tokens: number;
  readonly images: number;
  readonly tokensBySource: readonly (readonly [source: string, tokens: number])[];
  /** What FLOPs are counted from. */
  readonly work: Work;
  /** Samples that are trained on, and those left out. */
  readonly numGood: number;
  readonly skipped: readonly { readonly uid: string; readonly reason: string }[];
  /** Of the rank that waited longest. */
  readonly waitMs: number;
  /** What each owner's packs cost by the plan. */
  readonly costs: readonly number[];
}

/** The facts of a step, the same on every rank. */
export function stepFacts(loaded: LoadedStep, costs: readonly number[], ranks: Ranks): StepFacts {
  const everywhere = ranks.exchange(ownFacts(loaded), 'facts of the step');
  const all = ofOwners(ranks, everywhere);
  const sum = (key: 'tokens' | 'images' | 'numGood'): number =>
    all.reduce((total, facts) => total + facts[key], 0);
  const bySource = new Map<string, number>();
  for (const [source, tokens] of all.flatMap((facts) => facts.tokensBySource)) {
    bySource.set(source, (bySource.get(source) ?? 0) + tokens);
  }
  return {
    tokens: sum('tokens'),
    images: sum('images'),
    tokensBySource: [...bySource],
    work: all.map(({ work }) => work).reduce(addWork, NO_WORK),
    numGood: sum('numGood'),
    skipped: all.flatMap(({ skipped }) => skipped),
    waitMs: Math.max(...everywhere.map(({ waitMs }) => waitMs)),
    costs,
  };
}

function ownFacts({ packs, waitMs }: LoadedStep): Omit<StepFacts, 'costs'> {
  return {
    tokens: packs.reduce((sum, { batch }) => sum + batch.inputIds.length, 0),
    images: packs.reduce((sum, { batch }) => sum + batch.grids.length / 3, 0),
    tokensBySource: packs.flatMap(tokensBySource),
    work: packs.map(({ batch }) => workOf(batch)).reduce(addWork, NO_WORK),
    numGood: packs.reduce((sum, { uids }) => sum + uids.length, 0),
    skipped: packs.flatMap(({ skipped }) => skipped),
    waitMs,
  };
}

function tokensBySource({ batch, sources }: AssembledPack): [string, number][] {
  return sources.map((source, i) => [
    source,
    (batch.cuSeqlens[i + 1] ?? 0) - (batch.cuSeqlens[i] ?? 0),
  ]);
}
