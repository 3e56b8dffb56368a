// Which packs of a step a rank trains on, by what they cost.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { costOf, DEFAULT_COST } from '../../pack/balance/cost.ts';
import { dealByCost } from '../../pack/balance/deal.ts';
import type { OrderEntry } from '../../pack/order.ts';
import { openPacks } from '../../pack/read.ts';
import { PACK_TABLE, readPackTable } from '../../pack/write/pack-table.ts';

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
  if (!existsSync(join(dir, PACK_TABLE))) {
    using packs = openPacks(dir);
    return new Array<number>(packs.numPacks).fill(1);
  }
  const table = await readPackTable(dir);
  return table.map(({ squares, tokens, patchSquares }) =>
    costOf(DEFAULT_COST, [squares, tokens, patchSquares]),
  );
}
