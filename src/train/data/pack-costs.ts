// What each pack of a set costs, by the table of its packs.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { costOf, DEFAULT_COST } from '../../pack/balance/cost.ts';
import { PACK_TABLE, packRows } from '../../pack/write/pack-table.ts';

/** The cost of every pack in order; undefined where the set has no table. */
export async function packCosts(dir: string): Promise<number[] | undefined> {
  if (!existsSync(join(dir, PACK_TABLE))) return undefined;
  return Array.fromAsync(packRows(dir), ({ squares, tokens, patchSquares }) =>
    costOf(DEFAULT_COST, [squares, tokens, patchSquares]),
  );
}
