// Open packs keyed by the room left in them: "the fullest pack that still takes n" in constant
// time. Pure bookkeeping over typed arrays; knows nothing of samples.

/**
 * Doubly linked stacks of open packs, one stack for each amount of room, under a two-level bitset
 * that finds the next non-empty stack. Memory: 8 bytes a pack, about 4.3 a unit of capacity.
 */
export class SpaceIndex {
  readonly #capacity: number;
  readonly #heads: Int32Array;
  readonly #words: Int32Array;
  readonly #summary: Int32Array;
  #next: Int32Array = new Int32Array(1024);
  #previous: Int32Array = new Int32Array(1024);

  /** @param capacity largest room a pack can have. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#heads = new Int32Array(capacity + 1).fill(-1);
    this.#words = new Int32Array((capacity >>> 5) + 1);
    this.#summary = new Int32Array((capacity >>> 10) + 1);
  }

  /** Puts an open pack on the stack of its room. */
  add(pack: number, room: number): void {
    if (pack >= this.#next.length) this.#grow(pack + 1);
    const head = this.#heads[room] ?? -1;
    this.#next[pack] = head;
    this.#previous[pack] = -1;
    if (head >= 0) this.#previous[head] = pack;
    this.#heads[room] = pack;
    this.#mark(room);
  }

  /** Takes out a pack that was added with this room. */
  remove(pack: number, room: number): void {
    const next = this.#next[pack] ?? -1;
    const previous = this.#previous[pack] ?? -1;
    if (next >= 0) this.#previous[next] = previous;
    if (previous >= 0) {
      this.#next[previous] = next;
      return;
    }
    this.#heads[room] = next;
    if (next < 0) this.#clear(room);
  }

  /**
   * The pack with the least room ≥ `room` that `fits` accepts, looking at no more than `maxProbes`
   * packs; −1 when there is none.
   */
  find(room: number, maxProbes: number, fits: (pack: number) => boolean): number {
    let probes = 0;
    for (let at = this.#nextRoom(room); at >= 0; at = this.#nextRoom(at + 1)) {
      for (let pack = this.#heads[at] ?? -1; pack >= 0; pack = this.#next[pack] ?? -1) {
        if (fits(pack)) return pack;
        probes += 1;
        if (probes >= maxProbes) return -1;
      }
    }
    return -1;
  }

  #grow(needed: number): void {
    const length = Math.max(needed, this.#next.length * 2);
    const next = new Int32Array(length);
    const previous = new Int32Array(length);
    next.set(this.#next);
    previous.set(this.#previous);
    this.#next = next;
    this.#previous = previous;
  }

  #mark(room: number): void {
    const word = room >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (room & 31));
    const top = word >>> 5;
    this.#summary[top] = (this.#summary[top] ?? 0) | (1 << (word & 31));
  }

  #clear(room: number): void {
    const word = room >>> 5;
    const bits = (this.#words[word] ?? 0) & ~(1 << (room & 31));
    this.#words[word] = bits;
    if (bits !== 0) return;
    const top = word >>> 5;
    this.#summary[top] = (this.#summary[top] ?? 0) & ~(1 << (word & 31));
  }

  /** Smallest room ≥ `room` with an open pack, or −1. */
  #nextRoom(room: number): number {
    if (room > this.#capacity) return -1;
    const word = room >>> 5;
    const bits = (this.#words[word] ?? 0) & (-1 << (room & 31));
    if (bits !== 0) return (word << 5) + lowestBit(bits);
    const found = nextSet(this.#summary, word + 1);
    return found < 0 ? -1 : (found << 5) + lowestBit(this.#words[found] ?? 0);
  }
}

/** Index of the first set bit at or after `from` in a bit array, or −1. */
function nextSet(bits: Int32Array, from: number): number {
  let word = from >>> 5;
  if (word >= bits.length) return -1;
  let current = (bits[word] ?? 0) & (-1 << (from & 31));
  while (current === 0) {
    word += 1;
    if (word >= bits.length) return -1;
    current = bits[word] ?? 0;
  }
  return (word << 5) + lowestBit(current);
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
