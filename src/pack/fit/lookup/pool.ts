// A window of samples that wait for a pack: by length, at random, or the longest, each in constant
// time. Pure bookkeeping over typed arrays.

import { LengthSet } from './length-set.ts';

/**
 * Samples in slots 0 … size − 1 without holes; those of one length form a doubly linked stack.
 * A slot number holds only until the next `remove`, which moves the last slot into the hole.
 */
export class Pool {
  size = 0;
  readonly #max: number;
  readonly #lengths: LengthSet;
  readonly #heads: Int32Array;
  readonly #sample: Uint32Array;
  readonly #length: Int32Array;
  readonly #side: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  /** @param max largest length; @param capacity samples at a time. */
  constructor(max: number, capacity: number) {
    this.#max = max;
    this.#lengths = new LengthSet(max);
    this.#heads = new Int32Array(max + 1).fill(-1);
    this.#sample = new Uint32Array(capacity);
    this.#length = new Int32Array(capacity);
    this.#side = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  add(sample: number, length: number, side: number): void {
    const slot = this.size;
    this.size += 1;
    this.#sample[slot] = sample;
    this.#length[slot] = length;
    this.#side[slot] = side;
    const head = this.#heads[length] ?? -1;
    this.#next[slot] = head;
    this.#previous[slot] = -1;
    this.#heads[length] = slot;
    if (head >= 0) this.#previous[head] = slot;
    else this.#lengths.add(length);
  }

  /** Takes a sample out. */
  remove(slot: number): void {
    const next = this.#next[slot] ?? -1;
    const previous = this.#previous[slot] ?? -1;
    if (next >= 0) this.#previous[next] = previous;
    if (previous >= 0) this.#next[previous] = next;
    else {
      const length = this.#length[slot] ?? 0;
      this.#heads[length] = next;
      if (next < 0) this.#lengths.delete(length);
    }
    this.size -= 1;
    if (slot !== this.size) this.#move(this.size, slot);
  }

  #move(from: number, to: number): void {
    const length = this.#length[from] ?? 0;
    const next = this.#next[from] ?? -1;
    const previous = this.#previous[from] ?? -1;
    this.#sample[to] = this.#sample[from] ?? 0;
    this.#length[to] = length;
    this.#side[to] = this.#side[from] ?? 0;
    this.#next[to] = next;
    this.#previous[to] = previous;
    if (next >= 0) this.#previous[next] = to;
    if (previous >= 0) this.#next[previous] = to;
    else this.#heads[length] = to;
  }

  sampleAt(slot: number): number {
    return this.#sample[slot] ?? 0;
  }

  lengthAt(slot: number): number {
    return this.#length[slot] ?? 0;
  }

  sideAt(slot: number): number {
    return this.#side[slot] ?? 0;
  }

  /** The largest length ≤ `length` of which there is a sample, or −1. */
  floor(length: number): number {
    return this.#lengths.floor(length);
  }

  /** The longest sample. The pool is not empty. */
  longest(): number {
    return this.#heads[this.#lengths.floor(this.#max)] ?? -1;
  }

  /** A sample of this length with a side of at most `side`, none of the two slots; −1: none near the top. */
  find(length: number, side: number, not1: number, not2: number): number {
    let slot = this.#heads[length] ?? -1;
    for (let probes = 0; slot >= 0 && probes < MAX_PROBES; probes += 1) {
      if (slot !== not1 && slot !== not2 && (this.#side[slot] ?? 0) <= side) return slot;
      slot = this.#next[slot] ?? -1;
    }
    return -1;
  }
}

/** Samples of one length looked at before another length is tried. */
const MAX_PROBES = 8;
