// Parameters that travel together: one flat buffer of which each rank keeps a part in float32, from
// which the whole is gathered and into which gradients are summed. Knows no order of blocks.

import { allocate, empty } from '../tensor/graph/graph-node.ts';
import { callOperator, type DType, keep, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { allGatherInto, allReduce, type Pending, reduceScatter } from './collectives.ts';
import { type Cut, type Layout, type Piece, piecesOf, planLayout } from './layout.ts';
import type { ProcessGroup } from './process-group.ts';

export interface UnitOptions {
  /** Ranks that share the buffer. */
  readonly group: ProcessGroup;
  /** Ranks that hold the same part, in other groups: gradients are summed over them too. */
  readonly replicas?: ProcessGroup | undefined;
  readonly cut: Cut;
  /** Whether the whole stays in memory, or is there only between `gather` and `free`. */
  readonly isResident: boolean;
  readonly isTrained: boolean;
  /** float32 values that the parameters are roundings of. */
  readonly exact?: ReadonlyMap<string, Tensor> | undefined;
}

/** See above. Owns the memory of its parameters from now on. */
export class FlatUnit {
  readonly label: string;
  readonly isResident: boolean;
  readonly isTrained: boolean;
  readonly layout: Layout;
  /** What the optimizer changes: views of this rank's part, by the names of the pieces. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Parameters that had a gradient since `clear`. */
  readonly touched: Set<string> = new Set();
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #options: UnitOptions;
  readonly #pieces: readonly Piece[];
  readonly #dtype: DType;
  /** The whole in the type of the parameters, which are views of it. Empty while it is not there. */
  readonly #whole: Tensor;
  /** This rank's part: float32, or as the parameters where they are never trained. */
  readonly #part: Tensor;
  #isThere = true;
  #gathering: Pending | undefined;
  #sums: Tensor | undefined;
  #reducing: Pending | undefined;
  #overReplicas: Pending | undefined;
  /** Gradient of this rank's part, summed over ranks and passes. */
  #gradient: Tensor | undefined;

  constructor(label: string, parameters: ReadonlyMap<string, Tensor>, options: UnitOptions) {
    this.label = label;
    this.isResident = options.isResident;
    this.isTrained = options.isTrained;
    this.#parameters = parameters;
    this.#options = options;
    const { group, cut } = options;
    const members = [...parameters].map(([name, { shape }]) => ({ name, shape }));
    this.layout = planLayout(members, group.size, cut);
    this.#pieces = piecesOf(this.layout, group.rank);
    const [first] = parameters.values();
    this.#dtype = first?.dtype ?? 'float32';
    const device = first?.device ?? 'cpu';
    const { part, ranks, placed } = this.layout;
    this.#whole = keep(ops.zeros([part * ranks], { dtype: this.#dtype, device }));
    noGrad(() => tidy(() => this.#moveIn(placed)));
    this.#part = keep(noGrad(() => tidy(() => this.#makePart())));
    this.tensors = new Map(
      this.#pieces.map((piece) => [piece.name, keep(this.#view(this.#part, piece))]),
    );
    if (!this.isResident) this.free();
  }

  get dtype(): DType {
    return this.#dtype;
  }

  get names(): readonly string[] {
    return this.layout.placed.map(({ name }) => name);
  }

  /** Full shapes of the parameters by the names of the pieces. */
  shapes(): Map<string, readonly number[]> {
    const shapes = new Map(this.layout.placed.map(({ name, shape }) => [name, shape]));
    return new Map(this.#pieces.map(({ name, parameter }) => [name, shapes.get(parameter) ?? []]));
  }

  /** Begins to gather the whole, where it is neither there nor on its way. */
  gather(): void {
    if (this.#isThere || this.#gathering !== undefined) return;
    allocate(this.#whole);
    const part = noGrad(() => tidy(() => keep(ops.toCopy(this.#part, { dtype: this.#dtype }))));
    const label = `parameters of ${this.label}`;
    this.#gathering = allGatherInto(this.#whole, part, this.#options.group, label);
    part.dispose();
  }

  /** Returns when the whole is there. */
  ready(): void {
    this.gather();
    if (this.#gathering === undefined) return;
    this.#gathering.wait();
    this.#gathering = undefined;
    this.#isThere = true;
  }

  /** Gives the memory of the whole back, but for units that stay. */
  free(): void {
    if (this.isResident) return;
    this.ready();
    empty(this.#whole);
    this.#isThere = false;
  }

  /** Parameters ← parts of all ranks, after an update. */
  publish(): void {
    if (!this.isTrained || !this.isResident) return;
    this.#isThere = false;
    const part = noGrad(() => tidy(() => keep(ops.toCopy(this.#part, { dtype: this.#dtype }))));
    const label = `updated parameters of ${this.label}`;
    this.#gathering = allGatherInto(this.#whole, part, this.#options.group, label);
    part.dispose();
  }

  /** Part ← parameters, after something else has changed them; they must be there. */
  refresh(): void {
    const { rank } = this.#options.group;
    const { part } = this.layout;
    noGrad(() =>
      tidy(() => void ops.copy_(this.#part, ops.narrow(this.#whole, 0, rank * part, part))),
    );
  }

  /** Adds the parameters' gradients to the sums, in float32, and forgets them. */
  take(): void {
    if (!this.isTrained) return;
    noGrad(() => {
      for (const { name, offset, numel } of this.layout.placed) {
        tidy(() => {
          const parameter = this.#parameters.get(name);
          const gradient = parameter?.grad ?? null;
          if (parameter === undefined || gradient === null) return;
          const target = ops.narrow(this.#sumsNow(), 0, offset, numel);
          ops.add_(target, ops.reshape(gradient, [numel]));
          parameter.grad = null;
          this.touched.add(name);
        });
      }
    });
  }

  /** Begins to sum over the ranks what was taken since the last time. */
  reduce(): void {
    if (!this.isTrained) return;
    this.settle();
    const sums = this.#sumsNow();
    this.#reducing = reduceScatter(sums, this.#options.group, `gradients of ${this.label}`);
    sums.dispose();
    this.#sums = undefined;
  }

  /** Waits for the sum over the group; that over the replicas begins, where there are any. */
  advance(): void {
    if (this.#reducing === undefined) return;
    const part = keep(this.#reducing.wait());
    this.#reducing = undefined;
    const { replicas } = this.#options;
    if (replicas === undefined) {
      this.#add(part);
      return;
    }
    const label = `gradients of ${this.label} over replicas`;
    this.#overReplicas = allReduce(part, replicas, label);
    part.dispose();
  }

  /** Waits for all sums and adds them to the gradient of this rank's part. */
  settle(): void {
    this.advance();
    if (this.#overReplicas === undefined) return;
    this.#add(keep(this.#overReplicas.wait()));
    this.#overReplicas = undefined;
  }

  /** Hands the gradient to the optimizer's tensors. @param touched parameters with one on any rank */
  expose(touched: ReadonlySet<string>): void {
    const gradient = this.#gradient;
    if (gradient === undefined) return;
    for (const piece of this.#pieces) {
      if (!touched.has(piece.parameter)) continue;
      const tensor = this.tensors.get(piece.name);
      tidy(() => {
        if (tensor !== undefined) tensor.grad = this.#view(gradient, piece);
      });
    }
  }

  /** Forgets all gradients. */
  clear(): void {
    for (const tensor of [...this.#parameters.values(), ...this.tensors.values()]) {
      // Adapters go before their unit does.
      if (!tensor.isDisposed) tensor.grad = null;
    }
    this.#gradient?.dispose();
    this.#gradient = undefined;
    this.#sums?.dispose();
    this.#sums = undefined;
    this.touched.clear();
  }

  /** Frees what the parameters do not need; they stay if they are there. */
  [Symbol.dispose](): void {
    this.clear();
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.#part.dispose();
    this.#whole.dispose();
  }

  /** Copies the parameters into the buffer and makes them views of it. */
  #moveIn(placed: Layout['placed']): void {
    for (const { name, shape, numel, offset } of placed) {
      const parameter = this.#parameters.get(name) as Tensor;
      const place = ops.view(ops.narrow(this.#whole, 0, offset, numel), shape);
      ops.copy_(place, ops.detach(parameter));
      callOperator('aten::set_data', parameter, place);
    }
  }

  #makePart(): Tensor {
    const { rank } = this.#options.group;
    const { part, placed } = this.layout;
    const own = ops.narrow(this.#whole, 0, rank * part, part);
    if (!this.isTrained) return ops.clone(own);
    // In float32 a part of what stays is its own master.
    if (this.#dtype === 'float32') return this.isResident ? own : ops.clone(own);
    const wide = ops.toCopy(own, { dtype: 'float32' });
    for (const { parameter, begin, end, offset } of this.#pieces) {
      const exact = this.#options.exact?.get(parameter);
      if (exact === undefined || placed.length === 0) continue;
      const values = ops.narrow(ops.reshape(ops.detach(exact), [-1]), 0, begin, end - begin);
      ops.copy_(ops.narrow(wide, 0, offset, end - begin), values);
    }
    return wide;
  }

  #add(sum: Tensor): void {
    const before = this.#gradient;
    if (before === undefined) this.#gradient = sum;
    else {
      noGrad(() => ops.add_(before, sum));
      sum.dispose();
    }
  }

  #view(flat: Tensor, { offset, begin, end, shape }: Piece): Tensor {
    return noGrad(() => ops.view(ops.narrow(flat, 0, offset, end - begin), shape));
  }

  #sumsNow(): Tensor {
    const { part, ranks } = this.layout;
    const { device } = this.#part;
    this.#sums ??= keep(ops.zeros([part * ranks], { dtype: 'float32', device }));
    return this.#sums;
  }
}
