// Training state cut over ranks: the optimizer of a rank changes its part of every unit only. Units that
// stay in memory give data parallelism with sharded optimizer state; units of blocks that are gathered
// ahead of use and freed after give full sharding. The model knows nothing of it.

import type { AroundBlock, Copies } from '../nn/optim/copies.ts';
import { copyState } from '../nn/optim/optimizer.ts';
import { withGradient } from '../tensor/graph/graph-node.ts';
import { gradEnabled, type Tensor } from '../tensor/index.ts';
import type { FlatUnit } from './flat-unit.ts';
import { exchange, sumOver } from './messages.ts';
import type { ProcessGroup } from './process-group.ts';

export interface ShardedUnits {
  /** Units of each block of the decoder, in the order of the forward. */
  readonly blocks: readonly (readonly FlatUnit[])[];
  /** Units whose gradients are complete once the last block's output has its own: the head. */
  readonly head: readonly FlatUnit[];
  /** All others, needed from the beginning to the end of a pass. */
  readonly rest: readonly FlatUnit[];
}

/** See above. */
export class Shards implements Copies {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly around: AroundBlock;
  /** Full shapes by the names of `tensors`. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly units: ShardedUnits;
  readonly #all: readonly FlatUnit[];
  readonly #world: ProcessGroup;
  /** Ranks that hold different parts. */
  readonly #group: ProcessGroup;
  readonly #learns: boolean;
  readonly #keepsMasters: boolean;
  #pass: Pass | undefined;
  /** Milliseconds spent waiting for gradients after the last backward, of the last step. */
  exposedMs = 0;

  constructor(units: ShardedUnits, world: ProcessGroup, group: ProcessGroup = world) {
    this.units = units;
    this.#all = [...units.head, ...units.blocks.flat(), ...units.rest];
    this.#world = world;
    this.#group = group;
    this.#learns = this.#all.some(({ isTrained }) => isTrained);
    const trained = this.#all.filter(({ isTrained }) => isTrained);
    this.tensors = new Map(trained.flatMap(({ tensors }) => [...tensors]));
    this.shapes = new Map(trained.flatMap((unit) => [...unit.shapes()]));
    this.#keepsMasters = trained.some((unit) => unit.dtype !== 'float32');
    this.around = (block, x, run) => this.#aroundBlock(block, x, run);
  }

  /** Which part of the state this rank has, and whether it is the one that writes it. */
  get place(): { readonly part: number; readonly parts: number; readonly writes: boolean } {
    const { rank, size } = this.#group;
    return { part: rank, parts: size, writes: this.#world.rank < size };
  }

  /** Every rank makes the same number of passes: the same collectives in the same order. */
  pass(isLast: boolean, body: (() => void) | undefined): void {
    const pass = new Pass(this.units, this.#learns, isLast);
    this.#pass = pass;
    try {
      pass.open();
      body?.();
      pass.close();
    } finally {
      this.#pass = undefined;
    }
  }

  finish(): void {
    const start = performance.now();
    for (const unit of this.#all) unit.settle();
    this.exposedMs = performance.now() - start;
    const own = this.#all.map(({ touched }) => [...touched]);
    const anywhere = exchange(own.flat(), this.#world, 'parameters with a gradient');
    const touched = new Set(anywhere.flat());
    for (const unit of this.#all) unit.expose(touched);
  }

  commonNorm(norm: number): number {
    const [squares = 0] = sumOver([norm ** 2], this.#group, 'gradient norm');
    return Math.sqrt(squares);
  }

  publish(): void {
    for (const unit of this.#all) unit.publish();
    for (const unit of this.#all) if (unit.isResident) unit.ready();
  }

  clear(): void {
    for (const unit of this.#all) unit.clear();
  }

  refresh(): void {
    for (const unit of this.#all) unit.refresh();
  }

  open(): Disposable {
    for (const unit of this.#all) unit.gather();
    for (const unit of this.#all) unit.ready();
    return {
      [Symbol.dispose]: () => {
        for (const unit of this.#all) unit.free();
      },
    };
  }

  /** Runs `body` with the names of the parameters of each unit while they are in memory. */
  eachUnit(body: (names: readonly string[]) => void): void {
    for (const unit of this.#all) {
      unit.ready();
      body(unit.names);
      unit.free();
    }
  }

  /** Brings all parameters into memory for good: the end of a stage. Only `dispose` may follow. */
  keepWhole(): void {
    this.open();
  }

  state(): Map<string, Tensor> {
    if (!this.#keepsMasters) return new Map();
    return new Map([...this.tensors].map(([name, tensor]) => [`${name}.master`, tensor]));
  }

  loadState(saved: ReadonlyMap<string, Tensor>): void {
    copyState(this.state(), saved);
    this.publish();
  }

  [Symbol.dispose](): void {
    for (const unit of this.#all) unit[Symbol.dispose]();
  }

  #aroundBlock(block: number, x: Tensor, run: (x: Tensor) => Tensor): Tensor {
    const pass = this.#pass;
    if (pass === undefined) return run(x);
    pass.beforeForward(block);
    const learns = gradEnabled() && (x.requiresGrad || pass.isTrained(block));
    const [entry = x] = learns
      ? withGradient([x], [x], [], (_, [gradient = null]) => {
          pass.afterBackward(block);
          return [gradient];
        })
      : [x];
    const y = run(entry);
    pass.afterForward(block);
    if (!y.requiresGrad) return y;
    const [output = y] = withGradient([y], [y], [], (_, [gradient = null]) => {
      pass.beforeBackward(block);
      return [gradient];
    });
    return output;
  }
}

/**
 * The collectives of one forward and backward, in an order that does not depend on the data. What the
 * model has not asked for by the end is made up for: a rank without work, or without a graph.
 */
class Pass {
  readonly #units: ShardedUnits;
  readonly #learns: boolean;
  readonly #isLast: boolean;
  /** The next block of the forward; the blocks whose backward began and ended last. */
  #forward = 0;
  #began: number;
  #ended: number;
  #reducing: readonly FlatUnit[] = [];

  constructor(units: ShardedUnits, learns: boolean, isLast: boolean) {
    this.#units = units;
    this.#learns = learns;
    this.#isLast = isLast;
    this.#began = units.blocks.length;
    this.#ended = units.blocks.length;
  }

  isTrained(block: number): boolean {
    return this.#unitsOf(block).some(({ isTrained }) => isTrained);
  }

  open(): void {
    for (const unit of [...this.#units.rest, ...this.#units.head]) unit.gather();
    for (const unit of this.#unitsOf(0)) unit.gather();
    for (const unit of [...this.#units.rest, ...this.#units.head]) unit.ready();
  }

  beforeForward(block: number): void {
    for (const unit of this.#unitsOf(block)) unit.ready();
    for (const unit of this.#unitsOf(block + 1)) unit.gather();
    this.#forward = block + 1;
  }

  /** The last block stays: its backward comes next. */
  afterForward(block: number): void {
    if (block + 1 === this.#units.blocks.length && this.#learns) return;
    for (const unit of this.#unitsOf(block)) unit.free();
  }

  beforeBackward(block: number): void {
    for (const unit of this.#unitsOf(block)) unit.ready();
    for (const unit of this.#unitsOf(block - 1)) unit.gather();
    if (block + 1 === this.#units.blocks.length) this.#reduce(this.#units.head);
    this.#began = block;
  }

  afterBackward(block: number): void {
    this.#reduce(this.#unitsOf(block));
    for (const unit of this.#unitsOf(block)) unit.free();
    this.#ended = block;
  }

  close(): void {
    const { blocks, head, rest } = this.#units;
    for (let block = this.#forward; block < blocks.length; block += 1) {
      this.beforeForward(block);
      this.afterForward(block);
    }
    if (this.#learns) {
      for (let block = this.#ended - 1; block >= 0; block -= 1) {
        if (block < this.#began) this.beforeBackward(block);
        this.afterBackward(block);
      }
    }
    if (blocks.length === 0) this.#reduce(head);
    this.#reduce(rest);
    for (const unit of [...head, ...rest]) unit.free();
  }

  /** Sums what stays at the last pass only, what is freed at each. One sum over the group under way at a time. */
  #reduce(units: readonly FlatUnit[]): void {
    for (const unit of units) unit.take();
    const due = units.filter((unit) => unit.isTrained && (this.#isLast || !unit.isResident));
    if (due.length === 0) return;
    for (const unit of this.#reducing) unit.advance();
    for (const unit of due) unit.reduce();
    this.#reducing = due;
  }

  #unitsOf(block: number): readonly FlatUnit[] {
    return this.#units.blocks[block] ?? [];
  }
}
