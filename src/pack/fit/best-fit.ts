// The second planner: exact best-fit-decreasing with two budgets and a limit on segments. The longest
// sample first, each into the fullest pack that takes it.

import { hashUint32 } from '../../core/hash.ts';
import { RoomIndex } from './lookup/room-index.ts';
import { fits, type Packs, type Problem, toPacks } from './problem.ts';
import { shuffle } from './shuffle.ts';

/**
 * Best-fit-decreasing: by falling length in the leading budget (counting sort; equal lengths in
 * seeded random order), each sample into the pack with the least room in that budget among all
 * that have room for it in every one, a new pack where none has. O(n log capacity);
 * 8 bytes a sample.
 */
export function bestFitDecreasing(problem: Problem): Packs {
  const rooms = new OpenPacks(problem);
  const { lead, side } = problem;
  const order = decreasing(problem);
  const packAt = new Int32Array(order.length);
  for (let i = 0; i < order.length; i += 1) {
    const sample = order[i] ?? 0;
    packAt[i] = rooms.place(lead[sample] ?? 0, side?.[sample] ?? 0);
  }
  return toPacks(order, packAt, rooms.count);
}

/** Packs while they are being filled. Several passes may place samples in the same ones. */
export class OpenPacks {
  count = 0;
  readonly #leadCapacity: number;
  readonly #sideCapacity: number;
  readonly #maxSegments: number;
  readonly #index: RoomIndex;
  #lead = new Int32Array(1024);
  #side = new Int32Array(1024);
  #segments = new Int32Array(1024);

  constructor(limits: Pick<Problem, 'leadCapacity' | 'sideCapacity' | 'segments'>) {
    this.#leadCapacity = limits.leadCapacity;
    this.#sideCapacity = limits.sideCapacity;
    this.#maxSegments = limits.segments;
    this.#index = new RoomIndex(limits.leadCapacity);
  }

  /** Puts a sample into the fullest pack that takes it, or a new one; returns its number. */
  place(lead: number, side: number): number {
    let pack = this.#index.take(lead, side);
    if (pack < 0) pack = this.#create(this.#leadCapacity, this.#sideCapacity, this.#maxSegments);
    this.#lead[pack] = (this.#lead[pack] ?? 0) - lead;
    this.#side[pack] = (this.#side[pack] ?? 0) - side;
    this.#segments[pack] = (this.#segments[pack] ?? 0) - 1;
    this.#offer(pack);
    return pack;
  }

  /** Adds a pack that holds something already, with the room left in it. */
  open(lead: number, side: number, segments: number): void {
    this.#offer(this.#create(lead, side, segments));
  }

  #offer(pack: number): void {
    if ((this.#segments[pack] ?? 0) <= 0) return;
    this.#index.add(pack, this.#lead[pack] ?? 0, this.#side[pack] ?? 0);
  }

  #create(lead: number, side: number, segments: number): number {
    const pack = this.count;
    this.count += 1;
    if (this.count > this.#lead.length) {
      this.#lead = doubled(this.#lead);
      this.#side = doubled(this.#side);
      this.#segments = doubled(this.#segments);
    }
    this.#lead[pack] = lead;
    this.#side[pack] = side;
    this.#segments[pack] = segments;
    return pack;
  }
}

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(values.length * 2);
  grown.set(values);
  return grown;
}

/** The samples to be packed by falling length, each run of equal ones in a seeded random order. */
export function decreasing(problem: Problem): Uint32Array {
  const { lead, items, numItems, leadCapacity, seed } = problem;
  const total = items?.length ?? lead.length;
  const ends = new Uint32Array(leadCapacity + 2);
  for (let length = leadCapacity; length > 0; length -= 1) {
    ends[length] = (ends[length + 1] ?? 0) + (problem.histogram[length] ?? 0);
  }
  const starts = ends.slice();
  const order = new Uint32Array(numItems);
  for (let i = total - 1; i >= 0; i -= 1) {
    const sample = items?.[i] ?? i;
    if (!fits(problem, sample)) continue;
    const length = lead[sample] ?? 0;
    const slot = (starts[length] ?? 0) - 1;
    starts[length] = slot;
    order[slot] = sample;
  }
  for (let length = 1; length <= leadCapacity; length += 1) {
    const run = order.subarray(starts[length], ends[length]);
    if (run.length > 1) shuffle(run, hashUint32('equal', seed, length));
  }
  return order;
}
