// Open packs by the room left in them: "the fullest pack that has this much room in both budgets",
// exactly, in logarithmic time. Pure bookkeeping over typed arrays.

/**
 * One heap of packs for each amount of room in the leading budget, the one with most room in the
 * other budget on top (skew heaps), under a tree that knows the best top of every stretch.
 */
export class RoomIndex {
  readonly #size: number;
  /** Most side room in the stretch below a node; −1 for none. Leaf of room r: `size + r`. */
  readonly #best: Int32Array;
  readonly #tops: Int32Array;
  #side = new Int32Array(1024);
  #left = new Int32Array(1024);
  #right = new Int32Array(1024);

  /** @param capacity largest room a pack can have in the leading budget. */
  constructor(capacity: number) {
    this.#size = 2 ** Math.ceil(Math.log2(capacity + 1));
    this.#best = new Int32Array(2 * this.#size).fill(-1);
    this.#tops = new Int32Array(capacity + 1).fill(-1);
  }

  /** Puts in a pack with its room in both budgets. */
  add(pack: number, room: number, side: number): void {
    if (pack >= this.#side.length) this.#grow(pack + 1);
    this.#side[pack] = side;
    this.#left[pack] = -1;
    this.#right[pack] = -1;
    this.#setTop(room, this.#merge(this.#tops[room] ?? -1, pack));
  }

  /** Takes out the pack with the least room ≥ `room` that has `side` as well; −1 for none. */
  take(room: number, side: number): number {
    const leaf = this.#leafFrom(room, side);
    if (leaf < 0) return -1;
    const found = leaf - this.#size;
    const pack = this.#tops[found] ?? -1;
    this.#setTop(found, this.#merge(this.#left[pack] ?? -1, this.#right[pack] ?? -1));
    return pack;
  }

  /** The first leaf at or after that of `room` whose best is at least `side`, or −1. */
  #leafFrom(room: number, side: number): number {
    const best = this.#best;
    let node = this.#size + room;
    while ((best[node] ?? -1) < side) {
      while (node % 2 === 1) node >>>= 1; // a right child: what follows lies above
      if (node === 0) return -1;
      node += 1;
    }
    while (node < this.#size) {
      node *= 2;
      if ((best[node] ?? -1) < side) node += 1;
    }
    return node;
  }

  #setTop(room: number, pack: number): void {
    this.#tops[room] = pack;
    const best = this.#best;
    let node = this.#size + room;
    let value = pack < 0 ? -1 : (this.#side[pack] ?? -1);
    while (node > 0 && best[node] !== value) {
      best[node] = value;
      value = Math.max(value, best[node ^ 1] ?? -1);
      node >>>= 1;
    }
  }

  /** Merges two skew heaps from the top down. */
  #merge(first: number, second: number): number {
    let a = first;
    let b = second;
    let root = -1;
    let parent = -1;
    while (a >= 0 && b >= 0) {
      if ((this.#side[a] ?? 0) < (this.#side[b] ?? 0)) [a, b] = [b, a];
      if (parent < 0) root = a;
      else this.#left[parent] = a;
      const rest = this.#right[a] ?? -1;
      this.#right[a] = this.#left[a] ?? -1;
      parent = a;
      a = rest;
    }
    const rest = a >= 0 ? a : b;
    if (parent < 0) return rest;
    this.#left[parent] = rest;
    return root;
  }

  #grow(needed: number): void {
    const length = Math.max(needed, this.#side.length * 2);
    const grown = (values: Int32Array): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(length);
      copy.set(values);
      return copy;
    };
    this.#side = grown(this.#side);
    this.#left = grown(this.#left);
    this.#right = grown(this.#right);
  }
}
