// Keys and values of what a decoder has read. Sequences of one length share a group, so no slot is
// padding and no mask is needed: all sequences grow by one token a step and stay equal.
// Shapes: n sequences in a group; keys and values of each layer [n, kvHeads, capacity, dim].

import type { SegmentGroup } from '../../nn/segments.ts';
import { fromArray, keep, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

interface LayerSlots {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** Sequences of one length. */
class Group {
  count: number;
  length: number;
  #capacity: number;
  #layers: LayerSlots[] = [];

  constructor({ count, length }: SegmentGroup, room: number) {
    this.count = count;
    this.length = length;
    this.#capacity = length + room;
  }

  /** Take a layer's keys and values of the prompts: [n · length, kvHeads, dim]. */
  fill(layer: number, keys: Tensor, values: Tensor): void {
    this.#layers[layer] = tidy(() => ({ keys: this.#lay(keys), values: this.#lay(values) }));
  }

  #lay(rows: Tensor): Tensor {
    const [, heads = 1, dim = 1] = rows.shape;
    const { count, length } = this;
    const options = { dtype: rows.dtype, device: rows.device };
    const all = keep(ops.empty([count, heads, this.#capacity, dim], options));
    const read = ops.transpose(ops.view(rows, [count, length, heads, dim]), 1, 2);
    ops.copy_(ops.narrow(all, 2, 0, length), read);
    return all;
  }

  /** Open one more slot for each sequence. */
  extend(): void {
    this.length += 1;
    if (this.length <= this.#capacity) return;
    const used = this.length - 1;
    this.#capacity = Math.max(this.length, 2 * this.#capacity);
    this.#replace((all) => {
      const [count = 1, heads = 1, , dim = 1] = all.shape;
      const options = { dtype: all.dtype, device: all.device };
      const larger = ops.empty([count, heads, this.#capacity, dim], options);
      ops.copy_(ops.narrow(larger, 2, 0, used), ops.narrow(all, 2, 0, used));
      return larger;
    });
  }

  /**
   * Write the newest key and value and attend to all. The query heads that share a key head are
   * rows of one product: what grouped queries are for.
   */
  attend(layer: number, q: Tensor, k: Tensor, v: Tensor): Tensor {
    const slots = this.#layers[layer];
    if (slots === undefined) throw new RangeError(`expected layer ${layer} of the cache filled`);
    const { count, length } = this;
    const [, heads = 1, dim = 1] = q.shape;
    const kvHeads = k.shape[1] ?? 1;
    const write = (all: Tensor, row: Tensor): Tensor => {
      ops.copy_(ops.narrow(all, 2, length - 1, 1), ops.unsqueeze(row, 2));
      return ops.narrow(all, 2, 0, length);
    };
    const queries = ops.reshape(q, [count, kvHeads, heads / kvHeads, dim]);
    const keys = write(slots.keys, k);
    const out = ops.scaledDotProductAttention(queries, keys, write(slots.values, v));
    return ops.reshape(out, [count, heads * dim]);
  }

  /** Keep the sequences at these places only. */
  keepOnly(places: readonly number[]): void {
    if (places.length === this.count) return;
    this.count = places.length;
    const index = BigInt64Array.from(places, BigInt);
    this.#replace((all) => {
      return ops.indexSelect(all, 0, fromArray(index, [index.length], { device: all.device }));
    });
  }

  dispose(): void {
    for (const { keys, values } of this.#layers) {
      keys.dispose();
      values.dispose();
    }
    this.#layers = [];
  }

  #replace(change: (all: Tensor) => Tensor): void {
    this.#layers = this.#layers.map(({ keys, values }) => {
      const next = tidy(() => ({ keys: keep(change(keys)), values: keep(change(values)) }));
      keys.dispose();
      values.dispose();
      return next;
    });
  }
}

/** The cache of all sequences being written, group after group. `using` frees it. */
export class KvCache {
  #groups: Group[] = [];
  #opened: readonly Group[] = [];

  /**
   * Make place for prompts; `fill` every layer next.
   * @param plan groups without padding rows, as `planSegments` with group cost 0 makes them.
   * @param room slots to add for what will be written.
   */
  open(plan: readonly SegmentGroup[], room: number): void {
    this.#opened = plan.map((group) => new Group(group, room));
    this.#groups.push(...this.#opened);
  }

  /** Keys and values of the prompts opened last: [rows, kvHeads, dim] in the order of the plan. */
  fill(layer: number, keys: Tensor, values: Tensor): void {
    tidy(() => {
      const sizes = this.#opened.map(({ count, length }) => count * length);
      const [k, v] = [keys, values].map((rows) => ops.splitSizes(rows, sizes));
      for (const [i, group] of this.#opened.entries()) {
        group.fill(layer, k?.[i] as Tensor, v?.[i] as Tensor);
      }
    });
  }

  /** Open one more slot for each sequence; call before the layers of a step. */
  beginStep(): void {
    for (const group of this.#groups) group.extend();
  }

  /**
   * Write this step's keys and values and attend to everything before.
   * @param q [B, heads, dim] @param k, v [B, kvHeads, dim], rows in the order of the groups.
   * @returns [B, heads · dim].
   */
  attend(layer: number, q: Tensor, k: Tensor, v: Tensor): Tensor {
    const [only] = this.#groups;
    if (only !== undefined && this.#groups.length === 1) return only.attend(layer, q, k, v);
    const sizes = this.#groups.map(({ count }) => count);
    const [qs, ks, vs] = [q, k, v].map((rows) => ops.splitSizes(rows, sizes));
    const parts = this.#groups.map((group, i) =>
      group.attend(layer, qs?.[i] as Tensor, ks?.[i] as Tensor, vs?.[i] as Tensor),
    );
    return ops.cat(parts);
  }

  /** Forget all sequences but these. @param sequences ascending places in the order of rows. */
  keepOnly(sequences: readonly number[]): void {
    let start = 0;
    for (const group of this.#groups) {
      const end = start + group.count;
      const own = sequences.filter((place) => place >= start && place < end);
      const places = own.map((place) => place - start);
      start = end;
      if (places.length === 0) group.dispose();
      if (places.length > 0) group.keepOnly(places);
      else group.count = 0;
    }
    this.#groups = this.#groups.filter(({ count }) => count > 0);
  }

  [Symbol.dispose](): void {
    for (const group of this.#groups) group.dispose();
    this.#groups = [];
  }
}
