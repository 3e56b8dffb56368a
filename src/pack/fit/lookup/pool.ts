// A window of samples that wait for a pack: by length, at random, or the longest, each in constant
// time. Pure bookkeeping over typed arrays.

import { LengthSet } from './length-set.ts';

/** A slot is one stretch of numbers, half a cache line. */
const STRIDE = 8;
const SAMPLE = 0;
const LENGTH = 1;
const SIDE = 2;
const NEXT = 3;
const PREVIOUS = 4;

/**
 * Samples in slots 0 … size − 1 without holes; those of one length form a doubly linked stack.
 * A slot number holds only until the next `remove`, which moves the last slot into the hole.
 */
export class Pool {
  size = 0;
  readonly #max: number;
  readonly #lengths: LengthSet;
  readonly #heads: Int32Array;
  readonly #slots: Int32Array;

  /** @param max largest length; @param capacity samples at a time. */
  constructor(max: number, capacity: number) {
    this.#max = max;
    this.#lengths = new LengthSet(max);
    this.#heads = new Int32Array(max + 1).fill(-1);
    this.#slots = new Int32Array(STRIDE * capacity);
  }

  add(sample: number, length: number, side: number): void {
    const slots = this.#slots;
    const slot = this.size;
    this.size += 1;
    const at = STRIDE * slot;
    const head = this.#heads[length] ?? -1;
    slots[at + SAMPLE] = sample;
    slots[at + LENGTH] = length;
    slots[at + SIDE] = side;
    slots[at + NEXT] = head;
    slots[at + PREVIOUS] = -1;
    this.#heads[length] = slot;
    if (head >= 0) slots[STRIDE * head + PREVIOUS] = slot;
    else this.#lengths.add(length);
  }

  /** Takes a sample out. */
  remove(slot: number): void {
    const slots = this.#slots;
    const at = STRIDE * slot;
    const next = slots[at + NEXT] ?? -1;
    const previous = slots[at + PREVIOUS] ?? -1;
    if (next >= 0) slots[STRIDE * next + PREVIOUS] = previous;
    if (previous >= 0) slots[STRIDE * previous + NEXT] = next;
    else {
      const length = slots[at + LENGTH] ?? 0;
      this.#heads[length] = next;
      if (next < 0) this.#lengths.delete(length);
    }
    this.size -= 1;
    if (slot !== this.size) this.#move(this.size, slot);
  }

  #move(from: number, to: number): void {
    const slots = this.#slots;
    const source = STRIDE * from;
    const target = STRIDE * to;
    for (let i = 0; i <= PREVIOUS; i += 1) slots[target + i] = slots[source + i] ?? 0;
    const next = slots[target + NEXT] ?? -1;
    const previous = slots[target + PREVIOUS] ?? -1;
    if (next >= 0) slots[STRIDE * next + PREVIOUS] = to;
    if (previous >= 0) slots[STRIDE * previous + NEXT] = to;
    else this.#heads[slots[target + LENGTH] ?? 0] = to;
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
    return this.#heads[this.#lengths.floor(this.#max)] ?? -1;
  }

  /** A sample of this length with a side of at most `side`, none of the two slots; −1: none near the top. */
  find(length: number, side: number, not1: number, not2: number): number {
    let slot = this.#heads[length] ?? -1;
    for (let probes = 0; slot >= 0 && probes < MAX_PROBES; probes += 1) {
      if (slot !== not1 && slot !== not2 && this.sideAt(slot) <= side) return slot;
      slot = this.#slots[STRIDE * slot + NEXT] ?? -1;
    }
    return -1;
  }
}

/** Samples of one length looked at before another length is tried. */
const MAX_PROBES = 8;
