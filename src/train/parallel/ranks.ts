// Who trains together, as the trainer sees it: some processes that tell each other small facts and
// share the packs of a step. How tensors travel is the business of src/parallel.

import { exchange } from '../../parallel/messages.ts';
import type { ProcessGroup } from '../../parallel/process-group.ts';

export interface Ranks {
  readonly rank: number;
  readonly size: number;
  /** Undefined for one process. */
  readonly group: ProcessGroup | undefined;
  /** Every rank's value, in order of the ranks; JSON can hold them. */
  exchange<T>(value: T, label: string): readonly T[];
}

/** One process. */
export const ALONE: Ranks = {
  rank: 0,
  size: 1,
  group: undefined,
  exchange: (value) => [value],
};

export function ranksOf(group: ProcessGroup | undefined): Ranks {
  if (group === undefined) return ALONE;
  const { rank, size } = group;
  return { rank, size, group, exchange: (value, label) => exchange(value, group, label) };
}
