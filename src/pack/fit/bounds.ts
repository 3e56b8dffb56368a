// Lower bounds on the number of packs: no plan can use fewer. Used to report how good a plan is.

/**
 * The larger of L1 = ⌈Σ lengths / capacity⌉ and the bound L2 of Martello & Toth (Discrete Applied
 * Mathematics 28, 1990). Items longer than capacity/2 need a pack each. For a threshold a, those
 * of at most capacity − a leave room that items of a … capacity/2 can use; what does not fit there
 * needs further packs. L2 is the best over all a; O(capacity).
 *
 * @param histogram number of items of each length, `[capacity + 1]`; length 0 needs no room.
 */
export function lowerBound(histogram: Float64Array, capacity: number): number {
  const { counts, sums } = runningTotals(histogram, capacity);
  const half = Math.floor(capacity / 2);
  const numBig = (counts[capacity] ?? 0) - (counts[half] ?? 0);
  let bound = Math.ceil((sums[capacity] ?? 0) / capacity);
  for (let a = 1; a <= half; a += 1) {
    const numMiddle = (counts[capacity - a] ?? 0) - (counts[half] ?? 0);
    const middle = (sums[capacity - a] ?? 0) - (sums[half] ?? 0);
    const small = (sums[half] ?? 0) - (sums[a - 1] ?? 0);
    const spill = small - (numMiddle * capacity - middle);
    bound = Math.max(bound, numBig + Math.max(0, Math.ceil(spill / capacity)));
  }
  return bound;
}

/** Number and total length of the items of length 1 … l, for every l. */
function runningTotals(
  histogram: Float64Array,
  capacity: number,
): { counts: Float64Array; sums: Float64Array } {
  const counts = new Float64Array(capacity + 1);
  const sums = new Float64Array(capacity + 1);
  for (let length = 1; length <= capacity; length += 1) {
    const here = histogram[length] ?? 0;
    counts[length] = (counts[length - 1] ?? 0) + here;
    sums[length] = (sums[length - 1] ?? 0) + here * length;
  }
  return { counts, sums };
}
