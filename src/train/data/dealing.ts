// Which packs of a step a rank trains on, by what they cost.

import { dealByCost } from '../../pack/balance/deal.ts';
import type { OrderEntry } from '../../pack/order.ts';
import { openPacks } from '../../pack/read.ts';
import { packCosts } from './pack-costs.ts';

export interface Dealing {
  /** The packs of a rank. */
  share(entries: readonly OrderEntry[], rank: number): readonly OrderEntry[];
  /** What each rank's packs cost together. */
  costs(entries: readonly OrderEntry[]): number[];
}

/** Deals the packs of some sets to ranks. Packs of a set without a table cost alike. */
export async function openDealing(packDirs: readonly string[], ranks: number): Promise<Dealing> {
  const costs: number[] = [];
  for (const dir of packDirs) costs.push(...(await costsOf(dir)));
  const deal = (entries: readonly OrderEntry[]): number[][] =>
    dealByCost(
      entries.map(({ pack }) => costs[pack] ?? 1),
      ranks,
    );
  return {
    share: (entries, rank) => (deal(entries)[rank] ?? []).flatMap((i) => entries[i] ?? []),
    costs: (entries) =>
      deal(entries).map((hand) =>
        hand.reduce((sum, i) => sum + (costs[entries[i]?.pack ?? -1] ?? 1), 0),
      ),
  };
}

async function costsOf(dir: string): Promise<number[]> {
  const known = await packCosts(dir);
  if (known !== undefined) return known;
  using packs = openPacks(dir);
  return new Array<number>(packs.numPacks).fill(1);
}
