// Minimum bin slack (Gupta and Ho 1999), the best packer for few large samples known before: what the
// benchmark compares with. The search for one pack is bounded.

import { LengthSet } from '../../src/pack/fit/lookup/length-set.ts';

/** Lengths tried for one pack. */
const MAX_NODES = 1000;

/**
 * Packs by lengths alone: the longest that is left, then the set of others, longest first, that
 * leaves the least room.
 * @returns the number of packs.
 */
export function minimumBinSlack(lengths: Uint32Array, capacity: number): number {
  const counts = new Int32Array(capacity + 1);
  const present = new LengthSet(capacity);
  for (const length of lengths) {
    counts[length] = (counts[length] ?? 0) + 1;
    present.add(length);
  }
  let left = lengths.length;
  let nodes = 0;
  let best: number[] = [];
  let slack = 0;
  const chosen: number[] = [];
  const take = (length: number): void => {
    left -= 1;
    counts[length] = (counts[length] ?? 0) - 1;
    if (counts[length] === 0) present.delete(length);
  };
  const search = (room: number, longest: number): boolean => {
    if (room < slack) {
      slack = room;
      best = chosen.slice();
      if (room === 0) return true;
    }
    let length = present.floor(Math.min(room, longest));
    while (length > 0 && nodes > 0) {
      nodes -= 1;
      counts[length] = (counts[length] ?? 0) - 1;
      chosen.push(length);
      const found = search(room - length, counts[length] === 0 ? length - 1 : length);
      chosen.pop();
      counts[length] = (counts[length] ?? 0) + 1;
      if (found) return true;
      length = present.floor(length - 1);
    }
    return false;
  };
  let packs = 0;
  while (left > 0) {
    const longest = present.floor(capacity);
    take(longest);
    const room = capacity - longest;
    [best, slack, nodes] = [[], room + 1, MAX_NODES];
    search(room, room);
    best.forEach(take);
    packs += 1;
  }
  return packs;
}
