// Gives the trainer its steps in order: follows the order file from a cursor and keeps a few steps
// assembled ahead while libtorch computes.

import {
  type OrderEntry,
  type OrderFile,
  openOrder,
  orderInMemory,
  type PackOrder,
} from '../../pack/order.ts';
import type { AssemblyLine } from './assembly-line.ts';
import type { AssembledPack } from './segments.ts';

/** The packs of one step, and how long the trainer waited for them. */
export interface LoadedStep {
  /** Those of all ranks. */
  readonly entries: readonly OrderEntry[];
  /** Their arrays may be overwritten from the next call of `next` on. */
  readonly packs: readonly AssembledPack[];
  readonly waitMs: number;
}

export interface LoaderOptions {
  /** The order, or the path of its file, of which only what is needed is read. */
  readonly order: PackOrder | string;
  /** Packs in a global step, those of all ranks. */
  readonly packsPerStep: number;
  /** First step to give, 0-based: the cursor. */
  readonly firstStep: number;
  /** Steps assembled ahead. */
  readonly prefetch: number;
  readonly line: AssemblyLine;
  /** Which packs of a step are assembled here. Default: all. */
  readonly share?: ((entries: readonly OrderEntry[]) => readonly OrderEntry[]) | undefined;
}

interface Queued {
  readonly entries: readonly OrderEntry[];
  readonly packs: Promise<readonly AssembledPack[]>;
}

/**
 * Steps in order. Its place is the number of steps taken; nothing else needs saving, and the place
 * means the same for any number of ranks.
 */
export class Loader {
  readonly #options: LoaderOptions;
  readonly #order: OrderFile;
  readonly #numSteps: number;
  readonly #queue: Queued[] = [];
  readonly #taken: AssembledPack[] = [];
  #next: number;

  constructor(options: LoaderOptions) {
    const { order, packsPerStep } = options;
    this.#options = options;
    this.#order = typeof order === 'string' ? openOrder(order) : orderInMemory(order);
    this.#numSteps = Math.floor(this.#order.length / packsPerStep);
    this.#next = options.firstStep;
    this.#fill();
  }

  /** The next step. @throws RangeError past the end of the order. */
  async next(): Promise<LoadedStep> {
    for (const pack of this.#taken.splice(0)) this.#options.line.release(pack);
    const pending = this.#queue.shift();
    if (pending === undefined) throw new RangeError('the order has no further step');
    const start = performance.now();
    const packs = await pending.packs;
    const waitMs = performance.now() - start;
    this.#taken.push(...packs);
    this.#fill();
    return { entries: pending.entries, packs, waitMs };
  }

  async close(): Promise<void> {
    await this.#options.line.close();
    this.#order.close();
  }

  #fill(): void {
    const { packsPerStep, prefetch, line, share = (all) => all } = this.#options;
    while (this.#queue.length < prefetch && this.#next < this.#numSteps) {
      const first = this.#next * packsPerStep;
      const entries = Array.from({ length: packsPerStep }, (_, i) => this.#order.entry(first + i));
      const packs = Promise.all(share(entries).map((entry) => line.assemble(entry)));
      packs.catch(() => undefined); // reported by the next() that takes it
      this.#queue.push({ entries, packs });
      this.#next += 1;
    }
  }
}
