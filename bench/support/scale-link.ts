// What transfers and compute do to each other on this machine, without any training: a rank's share of
// the inputs that bench/scale.ts gives the simulator.

import {
  allGather,
  allGatherInto,
  allToAll,
  type Pending,
} from '../../src/parallel/collectives.ts';
import { barrier } from '../../src/parallel/messages.ts';
import type { ProcessGroup } from '../../src/parallel/process-group.ts';
import { keep, type Tensor, tidy } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';

export interface LinkSample {
  /** Of gathers and exchanges of a unit while nothing is computed. */
  readonly bytesPerMs: number;
  /** Of one without content. */
  readonly latencyMs: number;
  /** Rates of both while both work, of those alone. */
  readonly compute: number;
  readonly link: number;
}

export interface LinkSizes {
  /** Of a unit. */
  readonly elements: number;
  /** What a product of the model looks like. */
  readonly tokens: number;
  readonly width: number;
  /** Whether gathers fill memory that was free before, as with full sharding. */
  readonly intoFresh: boolean;
}

/** Measured so many times in a row. */
const REPEATS = 4;

/** Buffers for one size of unit, used again in every round. */
export class LinkMeter {
  readonly #group: ProcessGroup;
  readonly #intoFresh: boolean;
  readonly #whole: Tensor;
  readonly #part: Tensor;
  readonly #a: Tensor;
  readonly #b: Tensor;

  constructor(group: ProcessGroup, { elements, tokens, width, intoFresh }: LinkSizes) {
    const part = Math.ceil(elements / group.size);
    this.#group = group;
    this.#intoFresh = intoFresh;
    this.#part = keep(ops.ones([part]));
    this.#whole = keep(ops.ones([part * group.size]));
    this.#a = keep(ops.ones([tokens, width]));
    this.#b = keep(ops.ones([width, 3 * width]));
  }

  /** All ranks measure at the same time. */
  measure(): LinkSample {
    const { size } = this.#group;
    const bytes = (this.#whole.numel * 4 * (size - 1)) / size;
    const small = ops.ones([size]);
    const sum = { gather: 0, exchange: 0, latency: 0, alone: 0, computed: 0, left: 0 };
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      const gatherMs = this.#together(() => tidy(() => void this.#gather().wait()));
      sum.gather += gatherMs;
      sum.exchange += this.#together(() => this.#exchange(this.#whole));
      sum.latency += this.#together(() => this.#exchange(small));
      // So many products that the transfer outlasts them: both work all the time of the products.
      const oneMs = this.#together(() => this.#multiply(4)) / 4;
      const products = Math.max(2, Math.round((0.5 * gatherMs) / oneMs));
      sum.alone += this.#together(() => this.#multiply(products));
      let computedMs = 0;
      const bothMs = this.#together(() => {
        const start = performance.now();
        const gathering = this.#gather();
        this.#multiply(products);
        computedMs = performance.now() - start;
        tidy(() => void gathering.wait());
      });
      sum.computed += computedMs;
      sum.left += bothMs - computedMs;
    }
    small.dispose();
    const rate = (value: number): number => Math.min(1, Math.max(0.05, value));
    return {
      bytesPerMs: (2 * REPEATS * bytes) / (sum.gather + sum.exchange),
      latencyMs: sum.latency / REPEATS / Math.max(1, size - 1),
      compute: rate(sum.alone / sum.computed),
      link: rate((sum.gather - sum.left) / sum.computed),
    };
  }

  [Symbol.dispose](): void {}

  #gather(): Pending {
    if (this.#intoFresh) return allGather(this.#part, this.#group, 'link');
    return allGatherInto(this.#whole, this.#part, this.#group, 'link');
  }

  #exchange(x: Tensor): void {
    tidy(() => void allToAll(x, this.#group, 'link').wait());
  }

  #multiply(times: number): void {
    for (let i = 0; i < times; i += 1) tidy(() => void ops.mm(this.#a, this.#b));
  }

  #together(body: () => void): number {
    barrier(this.#group, 'all ranks at once');
    const start = performance.now();
    body();
    return performance.now() - start;
  }
}
