// Deals the packs of one step to ranks so that none waits long for another.

/**
 * Costliest first to the rank that has least; a rank may get none. Within a rank the order stays.
 * @param costs of the packs of a step
 * @returns indices of each rank's packs
 */
export function dealByCost(costs: readonly number[], ranks: number): number[][] {
  const hands = Array.from({ length: ranks }, (): number[] => []);
  const sums = new Array<number>(ranks).fill(0);
  const indices = costs.map((_, i) => i);
  indices.sort((a, b) => (costs[b] ?? 0) - (costs[a] ?? 0) || a - b);
  for (const index of indices) {
    const rank = sums.indexOf(Math.min(...sums));
    hands[rank]?.push(index);
    sums[rank] = (sums[rank] ?? 0) + (costs[index] ?? 0);
  }
  return hands.map((hand) => hand.sort((a, b) => a - b));
}
