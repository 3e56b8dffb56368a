// The first planner: packs drawn at random and then closed exactly. Every pack is a random sample of
// the data, so sources mix, and next to no token is left empty.

import { hashUint32 } from '../../core/hash.ts';
import { Pool } from './lookup/pool.ts';
import { type Packs, PackWriter, type Problem } from './problem.ts';
import { nextState, unitOf } from './shuffle.ts';
import { drawStream, type Stream } from './stream.ts';

/** Samples that wait at a time: enough lengths to meet any remainder exactly, few enough to be fast. */
const WINDOW = 4096;
/** Room kept free for the close, in mean lengths of the window: enough for a choice of two. */
const KEEP = 1.5;
/** Random draws in a row that may fail before the pack is closed. */
const MAX_MISSES = 3;
/** Random pairs and triples tried for an exact close. */
const MAX_TRIES = 12;
/** Bits of the count of samples of which none is set in every sixteenth: it comes from the window. */
const FROM_WINDOW = 15;

/**
 * Samples pass in seeded random order through a window. A pack takes the longest sample of the
 * window, so that nothing hard to place is left for the end; then random ones, while half as
 * much again as their mean stays free; then the one, two or three that leave the least, mostly nothing.
 * Linear in the number of samples; 4 bytes a sample.
 */
export function drawPacks(problem: Problem): Packs {
  const drawer = new Drawer(problem);
  while (drawer.openPack()) {
    drawer.fill();
    drawer.complete();
    drawer.writer.close();
  }
  return drawer.writer.finish();
}

class Drawer {
  readonly writer: PackWriter;
  readonly #problem: Problem;
  readonly #pool: Pool;
  readonly #window: number;
  readonly #capacity: number;
  readonly #samples: Stream['samples'];
  readonly #lengths: Stream['lengths'];
  /** Of the random numbers. */
  #state: number;
  /** Samples read of the stream. */
  #drawn = 0;
  /** Summed length of the window. */
  #sum = 0;
  /** Room in the open pack. */
  #room = 0;
  #side = 0;
  #segments = 0;
  /** The close found so far: slots, −1 for none, and the room it leaves. */
  #first = -1;
  #second = -1;
  #third = -1;
  #left = 0;

  constructor(problem: Problem) {
    this.#problem = problem;
    this.#window = Math.min(WINDOW, Math.max(64, problem.numItems >>> 2));
    this.#capacity = this.#window + (this.#window >>> 2);
    this.#pool = new Pool(problem.leadCapacity, this.#capacity);
    const { samples, lengths } = drawStream(problem, hashUint32('stream', problem.seed));
    this.#samples = samples;
    this.#lengths = lengths;
    this.#state = hashUint32('draw', problem.seed) | 0;
    // Packs are written over the part of the stream that has been read.
    this.writer = new PackWriter(samples, problem.numItems >>> 3);
  }

  /** Opens a pack with the longest sample of the window; false when nothing is left. */
  openPack(): boolean {
    while (this.#pool.size < this.#window && this.#drawn < this.#samples.length) {
      const at = this.#drawn;
      this.#drawn = at + 1;
      this.#wait(at, this.#lengths[at] ?? 0, this.#sideOf(at));
    }
    if (this.#pool.size === 0) return false;
    this.#room = this.#problem.leadCapacity;
    this.#side = this.#problem.sideCapacity;
    this.#segments = this.#problem.segments;
    this.#take(this.#pool.longest());
    return true;
  }

  /** Adds random samples while room for the close stays free. */
  fill(): void {
    const pool = this.#pool;
    const keep = pool.size === 0 ? 0 : (KEEP * this.#sum) / pool.size;
    for (let misses = 0; misses < MAX_MISSES && this.#segments > 1 && this.#room > keep; ) {
      const isTaken = this.#readsStream() ? this.#addNext(keep) : this.#addWaiting(keep);
      if (!isTaken) misses += 1;
    }
  }

  /** Whether the next sample comes from the stream: always into a window that is not full. */
  #readsStream(): boolean {
    const { size } = this.#pool;
    if (this.#drawn === this.#samples.length) return false;
    if (size < this.#window) return true;
    return (this.writer.numMembers & FROM_WINDOW) !== 0 && size < this.#capacity;
  }

  /** Adds the next sample of the stream, or lets it wait. */
  #addNext(keep: number): boolean {
    const at = this.#drawn;
    this.#drawn = at + 1;
    const length = this.#lengths[at] ?? 0;
    const side = this.#sideOf(at);
    if (this.#room - length < keep || side > this.#side) {
      this.#wait(at, length, side);
      return false;
    }
    this.writer.add(this.#samples[at] ?? 0);
    this.#use(length, side);
    return true;
  }

  /** Adds a random sample of the window. */
  #addWaiting(keep: number): boolean {
    const pool = this.#pool;
    if (pool.size === 0) return false;
    const slot = pool.draw(this.#unit());
    if (this.#room - pool.lengthAt(slot) < keep || pool.sideAt(slot) > this.#side) return false;
    this.#take(slot);
    return true;
  }

  #unit(): number {
    this.#state = nextState(this.#state);
    return unitOf(this.#state);
  }

  /** Need of a sample of the stream in the other budget. */
  #sideOf(at: number): number {
    const { side } = this.#problem;
    return side === undefined ? 0 : (side[this.#samples[at] ?? 0] ?? 0);
  }

  /** Lets a sample of the stream wait in the window. */
  #wait(at: number, length: number, side: number): void {
    this.#pool.add(this.#samples[at] ?? 0, length, side);
    this.#sum += length;
  }

  /** Room of the open pack that a sample takes. */
  #use(length: number, side: number): void {
    this.#room -= length;
    this.#side -= side;
    this.#segments -= 1;
  }

  /** Closes the pack with the samples that leave the least room, until nothing fits. */
  complete(): void {
    while (this.#room > 0 && this.#segments > 0 && this.#pool.size > 0) {
      if (!this.#findOne()) return;
      for (let tries = 0; tries < MAX_TRIES && this.#left > 0; tries += 1) this.#tryTwo();
      for (let tries = 0; tries < MAX_TRIES && this.#left > 0; tries += 1) this.#tryThree();
      if (this.#first >= 0) this.#take(this.#first);
      if (this.#second >= 0) this.#take(this.#second);
      if (this.#third >= 0) this.#take(this.#third);
    }
  }

  #take(slot: number): void {
    const pool = this.#pool;
    const length = pool.lengthAt(slot);
    this.writer.add(pool.sampleAt(slot));
    this.#use(length, pool.sideAt(slot));
    this.#sum -= length;
    pool.remove(slot);
  }

  /** The longest single sample that fits. */
  #findOne(): boolean {
    const slot = this.#longest(this.#room, this.#side, -1, -1);
    this.#first = slot;
    this.#second = -1;
    this.#third = -1;
    this.#left = this.#room - (slot < 0 ? 0 : this.#pool.lengthAt(slot));
    return slot >= 0;
  }

  /** A random sample and the longest that fits beside it. */
  #tryTwo(): void {
    const pool = this.#pool;
    if (this.#segments < 2) return;
    const first = pool.draw(this.#unit());
    const room = this.#room - pool.lengthAt(first);
    const side = this.#side - pool.sideAt(first);
    if (room <= 0 || side < 0) return;
    this.#offer(first, -1, this.#longest(room, side, first, -1), room);
  }

  /** Two random samples and the longest that fits beside them. */
  #tryThree(): void {
    const pool = this.#pool;
    if (this.#segments < 3) return;
    const first = pool.draw(this.#unit());
    const second = pool.draw(this.#unit());
    const room = this.#room - pool.lengthAt(first) - pool.lengthAt(second);
    const side = this.#side - pool.sideAt(first) - pool.sideAt(second);
    if (first === second || room <= 0 || side < 0) return;
    this.#offer(first, second, this.#longest(room, side, first, second), room);
  }

  #offer(first: number, second: number, last: number, room: number): void {
    if (last < 0) return;
    const left = room - this.#pool.lengthAt(last);
    if (left >= this.#left) return;
    this.#left = left;
    this.#first = first;
    this.#second = last;
    this.#third = second;
  }

  /** The longest sample within both budgets that is neither of two slots, or −1. */
  #longest(room: number, side: number, not1: number, not2: number): number {
    const pool = this.#pool;
    let length = pool.floor(room);
    for (let probes = 0; length >= 0 && probes < MAX_TRIES; probes += 1) {
      const slot = pool.find(length, side, not1, not2);
      if (slot >= 0) return slot;
      length = pool.floor(length - 1);
    }
    return -1;
  }
}
