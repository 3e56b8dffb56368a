// Seeded random orders for typed arrays of any size. For a handful of things use core's createRandom.

const STEP = 0x6d2b79f5;

/** Random numbers without an object: state after state of mulberry32, and the number of each. */
export function nextState(state: number): number {
  return (state + STEP) | 0;
}

/** 32 random bits. */
export function bitsOf(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return mixed ^ (mixed >>> 14);
}

/** A number in [0, 1). */
export function unitOf(state: number): number {
  return (bitsOf(state) >>> 0) / 4294967296;
}

/** Fisher–Yates in place. */
export function shuffle(values: Uint32Array, seed: number): void {
  let state = seed | 0;
  for (let last = values.length - 1; last > 0; last -= 1) {
    state = nextState(state);
    const other = Math.floor(unitOf(state) * (last + 1));
    const held = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = held;
  }
}
