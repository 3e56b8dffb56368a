// A seeded shuffle for typed arrays of any size. For a handful of things use core's createRandom.

/** Fisher–Yates in place over a small fast generator (mulberry32); fast enough for 85M entries. */
export function shuffle(values: Uint32Array, seed: number): void {
  let state = seed;
  for (let last = values.length - 1; last > 0; last -= 1) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    const other = Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * (last + 1));
    const held = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = held;
  }
}
