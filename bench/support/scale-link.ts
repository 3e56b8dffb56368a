// What transfers and compute do to each other on this machine, without any training: a rank's share of
// the inputs that bench/scale.ts gives the simulator.

import { allGatherInto, allToAll } from '../../src/parallel/collectives.ts';
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

const UNITS = 4;
const SMALL_ROUNDS = 10;

/** Buffers for one size of unit, used again in every round. */
export class LinkMeter {
  readonly #group: ProcessGroup;
  readonly #whole: Tensor;
  readonly #part: Tensor;
  readonly #a: Tensor;
  readonly #b: Tensor;

  /** @param elements of a unit @param tokens, width what a product of the model looks like */
  constructor(group: ProcessGroup, elements: number, tokens: number, width: number) {
    const part = Math.ceil(elements / group.size);
    this.#group = group;
    this.#part = keep(ops.ones([UNITS * part]));
    this.#whole = keep(ops.ones([UNITS * part * group.size]));
    this.#a = keep(ops.ones([tokens, width]));
    this.#b = keep(ops.ones([width, 3 * width]));
  }

  /** All ranks measure at the same time. */
  measure(): LinkSample {
    const { size } = this.#group;
    const bytes = (this.#whole.numel * 4 * (size - 1)) / size;
    const gatherMs = this.#together(() => this.#gather().wait());
    const exchangeMs = this.#together(() => {
      tidy(() => void allToAll(this.#whole, this.#group, 'link').wait());
    });
    const small = ops.ones([size]);
    const latencyMs =
      this.#together(() => {
        for (let i = 0; i < SMALL_ROUNDS; i += 1) {
          tidy(() => void allToAll(small, this.#group, 'latency').wait());
        }
      }) / SMALL_ROUNDS;
    small.dispose();
    // So many products that transfers outlast them: both work all the time of the products.
    const oneMs = this.#together(() => this.#multiply(8)) / 8;
    const products = Math.max(8, Math.round((0.5 * gatherMs) / oneMs));
    const aloneMs = this.#together(() => this.#multiply(products));
    let computedMs = 0;
    const bothMs = this.#together(() => {
      const start = performance.now();
      const gathering = this.#gather();
      this.#multiply(products);
      computedMs = performance.now() - start;
      gathering.wait();
    });
    const left = bothMs - computedMs;
    const rate = (value: number): number => Math.min(1, Math.max(0.05, value));
    return {
      bytesPerMs: (2 * bytes) / (gatherMs + exchangeMs),
      latencyMs: latencyMs / Math.max(1, size - 1),
      compute: rate(aloneMs / computedMs),
      link: rate((gatherMs - left) / computedMs),
    };
  }

  [Symbol.dispose](): void {}

  #gather(): ReturnType<typeof allGatherInto> {
    return allGatherInto(this.#whole, this.#part, this.#group, 'link');
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
