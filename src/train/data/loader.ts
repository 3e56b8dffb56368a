// Gives the trainer its steps in order: follows the order file from a cursor and keeps a few steps
// assembled ahead while libtorch computes.

import { orderEntry, orderLength, type PackOrder } from '../../pack/order.ts';
import type { AssemblyLine } from './assembly-line.ts';
import type { AssembledPack } from './segments.ts';

/** The packs of one step, and how long the trainer waited for them. */
export interface LoadedStep {
  readonly packs: readonly AssembledPack[];
  readonly waitMs: number;
}

export interface LoaderOptions {
  readonly order: PackOrder;
  readonly packsPerStep: number;
  /** First step to give, 0-based: the cursor. */
  readonly firstStep: number;
  /** Steps assembled ahead. */
  readonly prefetch: number;
  readonly line: AssemblyLine;
}

/** Steps in order. Its place is the number of steps taken; nothing else needs saving. */
export class Loader {
  readonly #options: LoaderOptions;
  readonly #numSteps: number;
  readonly #queue: Promise<readonly AssembledPack[]>[] = [];
  #next: number;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.#numSteps = Math.floor(orderLength(options.order) / options.packsPerStep);
    this.#next = options.firstStep;
    this.#fill();
  }

  /** The next step. @throws RangeError past the end of the order. */
  async next(): Promise<LoadedStep> {
    const pending = this.#queue.shift();
    if (pending === undefined) throw new RangeError('the order has no further step');
    const start = performance.now();
    const packs = await pending;
    const waitMs = performance.now() - start;
    this.#fill();
    return { packs, waitMs };
  }

  async close(): Promise<void> {
    await this.#options.line.close();
  }

  #fill(): void {
    const { order, packsPerStep, prefetch, line } = this.#options;
    while (this.#queue.length < prefetch && this.#next < this.#numSteps) {
      const first = this.#next * packsPerStep;
      const entries = Array.from({ length: packsPerStep }, (_, i) => orderEntry(order, first + i));
      const packs = Promise.all(entries.map((entry) => line.assemble(entry)));
      packs.catch(() => undefined); // reported by the next() that takes it
      this.#queue.push(packs);
      this.#next += 1;
    }
  }
}
