// Minimum bin slack (Gupta and Ho 1999), for a few long samples a pack: pack after pack, the longest
// sample that is left and the set of others that leaves the least room.

import { Shelf } from './lookup/shelf.ts';
import { type Packs, PackWriter, type Problem } from './problem.ts';

/** Lengths tried for one pack. The search is depth first, the longest first. */
const MAX_NODES = 1000;

/** Packs by the lengths in the leading budget, which must be the only one that binds. */
export function minimumBinSlack(problem: Problem): Packs {
  const writer = new PackWriter(new Uint32Array(problem.numItems), problem.numItems >>> 1);
  packBySlack(new Shelf(problem), writer, problem.leadCapacity);
  return writer.finish();
}

/** Packs all that is on the shelf. */
export function packBySlack(shelf: Shelf, writer: PackWriter, capacity: number): void {
  while (shelf.numLeft > 0) {
    const longest = shelf.floor(capacity);
    shelf.reserve(longest);
    for (const length of [longest, ...fillRoom(shelf, capacity - longest)]) {
      writer.add(shelf.draw(length));
    }
    writer.close();
  }
}

/** Sets the lengths aside that leave the least of a room, as far as the search goes. */
function fillRoom(shelf: Shelf, room: number): readonly number[] {
  const chosen: number[] = [];
  let best: readonly number[] = [];
  let slack = room;
  let nodes = MAX_NODES;
  /** Tries to fill `left` with lengths of at most `longest`; true when nothing is left. */
  const search = (left: number, longest: number): boolean => {
    if (left < slack) {
      slack = left;
      best = chosen.slice();
    }
    if (left === 0) return true;
    let length = shelf.floor(Math.min(left, longest));
    while (length > 0 && nodes > 0) {
      nodes -= 1;
      shelf.reserve(length);
      chosen.push(length);
      const isFull = search(left - length, length);
      chosen.pop();
      shelf.release(length);
      if (isFull) return true;
      length = shelf.floor(length - 1);
    }
    return false;
  };
  search(room, room);
  for (const length of best) shelf.reserve(length);
  return best;
}
