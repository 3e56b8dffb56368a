// Seeded random orders for typed arrays of any size. For a handful of things use core's createRandom.

/** A small fast generator of numbers in [0, 1) (mulberry32). */
export function seededUnit(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Fisher–Yates in place. */
export function shuffle(values: Uint32Array, seed: number): void {
  const unit = seededUnit(seed);
  for (let last = values.length - 1; last > 0; last -= 1) {
    const other = Math.floor(unit() * (last + 1));
    const held = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = held;
  }
}
