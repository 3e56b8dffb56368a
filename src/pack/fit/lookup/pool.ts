// A window of samples that wait for a pack: by length, at random, or the longest, each in constant
// time. Pure bookkeeping over typed arrays.

import { LengthSet } from './length-set.ts';

/** A slot is one stretch of numbers, so that a sample costs one cache line. */
const STRIDE = 4;
const SAMPLE = 0;
const LENGTH = 1; // 0: the slot is free
const SIDE = 2;
const NEXT = 3;

/** Samples of one length looked at before another length is tried. */
const MAX_PROBES = 8;

/** Samples of one length form a stack, linked from its top downwards. Lengths are at least 1. */
export class Pool {
  readonly #max: number;
  readonly #lengths: LengthSet;
  /** Top of the stack of each length; −1: none. */
  readonly #tops: Int32Array;
  readonly #slots: Int32Array;
  /** Slots that were given back; those from `#end` on were never used. */
  readonly #free: Int32Array;
  #numFree = 0;
  #end = 0;

  /** @param max largest length; @param capacity samples at a time. */
  constructor(max: number, capacity: number) {
    this.#max = max;
    this.#lengths = new LengthSet(max);
    this.#tops = new Int32Array(max + 1).fill(-1);
    this.#slots = new Int32Array(STRIDE * capacity);
    this.#free = new Int32Array(capacity);
  }

  get size(): number {
    return this.#end - this.#numFree;
  }

  add(sample: number, length: number, side: number): void {
    const slots = this.#slots;
    const slot = this.#newSlot();
    const at = STRIDE * slot;
    const top = this.#tops[length] ?? -1;
    slots[at + SAMPLE] = sample;
    slots[at + LENGTH] = length;
    slots[at + SIDE] = side;
    slots[at + NEXT] = top;
    this.#tops[length] = slot;
    if (top < 0) this.#lengths.add(length);
  }

  #newSlot(): number {
    if (this.#numFree > 0) {
      this.#numFree -= 1;
      return this.#free[this.#numFree] ?? 0;
    }
    this.#end += 1;
    return this.#end - 1;
  }

  /** Takes a sample out, one that `longest`, `draw` or `find` gave: those are near their top. */
  remove(slot: number): void {
    const slots = this.#slots;
    const at = STRIDE * slot;
    const length = slots[at + LENGTH] ?? 0;
    const next = slots[at + NEXT] ?? -1;
    let above = this.#tops[length] ?? -1;
    if (above === slot) {
      this.#tops[length] = next;
      if (next < 0) this.#lengths.delete(length);
    } else {
      while (slots[STRIDE * above + NEXT] !== slot) above = slots[STRIDE * above + NEXT] ?? -1;
      slots[STRIDE * above + NEXT] = next;
    }
    slots[at + LENGTH] = 0;
    this.#free[this.#numFree] = slot;
    this.#numFree += 1;
  }

  sampleAt(slot: number): number {
    return (this.#slots[STRIDE * slot + SAMPLE] ?? 0) >>> 0;
  }

  lengthAt(slot: number): number {
    return this.#slots[STRIDE * slot + LENGTH] ?? 0;
  }

  sideAt(slot: number): number {
    return this.#slots[STRIDE * slot + SIDE] ?? 0;
  }

  /** The largest length ≤ `length` of which there is a sample, or −1. */
  floor(length: number): number {
    return this.#lengths.floor(length);
  }

  /** The longest sample. The pool is not empty. */
  longest(): number {
    return this.#tops[this.#lengths.floor(this.#max)] ?? -1;
  }

  /** A random sample: the top one of the length in a random slot, or in the next that is taken. The pool is not empty. */
  draw(unit: number): number {
    const slots = this.#slots;
    let slot = Math.floor(unit * this.#end);
    while (slots[STRIDE * slot + LENGTH] === 0) slot = slot + 1 === this.#end ? 0 : slot + 1;
    return this.#tops[slots[STRIDE * slot + LENGTH] ?? 0] ?? -1;
  }

  /** A sample of this length with a side of at most `side`, none of the two slots; −1: none near the top. */
  find(length: number, side: number, not1: number, not2: number): number {
    let slot = this.#tops[length] ?? -1;
    for (let probes = 0; slot >= 0 && probes < MAX_PROBES; probes += 1) {
      if (slot !== not1 && slot !== not2 && this.sideAt(slot) <= side) return slot;
      slot = this.#slots[STRIDE * slot + NEXT] ?? -1;
    }
    return -1;
  }
}
