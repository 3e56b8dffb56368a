// Who trains together, as the trainer sees it: some processes that tell each other small facts and
// share the packs of a step. How tensors travel is the business of src/parallel.

import type { Spread } from '../../nn/lean/spread.ts';
import { exchange } from '../../parallel/messages.ts';
import type { ProcessGroup } from '../../parallel/process-group.ts';

export interface Ranks {
  readonly rank: number;
  readonly size: number;
  /** Undefined for one process. */
  readonly group: ProcessGroup | undefined;
  /** Ranks that have packs in common, and which of the packs' owners this rank is one of. */
  readonly perPack: number;
  readonly owner: number;
  readonly numOwners: number;
  /** How the rows of a pack lie over those ranks. */
  readonly spread: Spread | undefined;
  /** Every rank's value, in order of the ranks; JSON can hold them. */
  exchange<T>(value: T, label: string): readonly T[];
}

/** Of every rank's values, one for each owner of packs. */
export function ofOwners<T>({ perPack }: Ranks, values: readonly T[]): T[] {
  return values.filter((_, rank) => rank % perPack === 0);
}

/** One process. */
export const ALONE: Ranks = {
  rank: 0,
  size: 1,
  group: undefined,
  perPack: 1,
  owner: 0,
  numOwners: 1,
  spread: undefined,
  exchange: (value) => [value],
};

/** @param spread of `perPack` neighbouring ranks */
export function ranksOf(
  group: ProcessGroup | undefined,
  perPack = 1,
  spread?: Spread | undefined,
): Ranks {
  if (group === undefined) return ALONE;
  const { rank, size } = group;
  return {
    rank,
    size,
    group,
    perPack,
    owner: Math.floor(rank / perPack),
    numOwners: size / perPack,
    spread,
    exchange: (value, label) => exchange(value, group, label),
  };
}
