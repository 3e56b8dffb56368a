// All samples of a problem by length, to be taken one by one. Not bounded as the pool is, and not at
// random: of one length any sample is as good as another.

import { decreasing } from '../best-fit.ts';
import type { Problem } from '../problem.ts';
import { LengthSet } from './length-set.ts';

/** The samples that are left, by length; those of one length in a seeded random order. */
export class Shelf {
  /** Samples left of each length. */
  readonly counts: Float64Array;
  numLeft: number;
  readonly #lengths: LengthSet;
  readonly #order: Uint32Array;
  /** End of what is left of each length in the order. */
  readonly #ends: Uint32Array;

  constructor(problem: Problem) {
    const { leadCapacity, numItems, histogram } = problem;
    this.counts = histogram.slice();
    this.counts[0] = 0;
    this.numLeft = numItems;
    this.#lengths = new LengthSet(leadCapacity);
    this.#order = decreasing(problem);
    this.#ends = new Uint32Array(leadCapacity + 1);
    let end = 0;
    for (let length = leadCapacity; length > 0; length -= 1) {
      end += this.counts[length] ?? 0;
      this.#ends[length] = end;
      if (this.counts[length] !== 0) this.#lengths.add(length);
    }
  }

  /** The largest length ≤ `length` that is left, or −1. */
  floor(length: number): number {
    return this.#lengths.floor(length);
  }

  /** Sets a sample of this length aside. */
  reserve(length: number): void {
    this.numLeft -= 1;
    const left = (this.counts[length] ?? 0) - 1;
    this.counts[length] = left;
    if (left === 0) this.#lengths.delete(length);
  }

  /** Puts one back. */
  release(length: number): void {
    this.numLeft += 1;
    const left = (this.counts[length] ?? 0) + 1;
    this.counts[length] = left;
    if (left === 1) this.#lengths.add(length);
  }

  /** A sample of this length that was set aside. */
  draw(length: number): number {
    const end = (this.#ends[length] ?? 0) - 1;
    this.#ends[length] = end;
    return this.#order[end] ?? 0;
  }
}
