// Keys and values of what a decoder has read, one row of slots per sequence. Grows by doubling.
// Shapes: B sequences, M slots; one tensor [B, M, kvHeads, dim] for keys and values of each layer.

import { fromArray, keep, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

interface LayerSlots {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** Which slots attention reads in one decoding step. */
export interface StepView {
  /** [B] int64: flat slot (sequence · M + position) that each sequence writes. */
  readonly slots: Tensor;
  /** [B, 1, 1, length]: 0 where a sequence has a token, −∞ beyond its end. */
  readonly mask: Tensor;
  readonly length: number;
}

/** The cache of a batch of sequences. `using` frees it. */
export class KvCache {
  #layers: LayerSlots[] = [];
  #lengths: number[];
  #capacity: number;

  /** @param lengths tokens of each prompt. @param room slots to add for what will be written. */
  constructor(lengths: readonly number[], room: number) {
    this.#lengths = [...lengths];
    this.#capacity = Math.max(0, ...lengths) + room;
  }

  /** Tokens held for each sequence. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /**
   * Take the keys and values of the prompts, layer after layer.
   * @param keys, values [T, kvHeads, dim] for the tokens of all prompts, end to end.
   */
  fill(layer: number, keys: Tensor, values: Tensor): void {
    const starts = this.#lengths.flatMap((length, b) =>
      Array.from({ length }, (_, i) => b * this.#capacity + i),
    );
    this.#layers[layer] = tidy(() => {
      const slots = int64(starts, keys.device);
      const spread = (x: Tensor): Tensor => {
        const [, heads = 1, dim = 1] = x.shape;
        const shape = [this.#lengths.length, this.#capacity, heads, dim];
        const options = { dtype: x.dtype, device: x.device };
        const empty = ops.zeros([(shape[0] as number) * this.#capacity, heads, dim], options);
        return keep(ops.view(ops.indexCopy(empty, 0, slots, x), shape));
      };
      return { keys: spread(keys), values: spread(values) };
    });
  }

  /** Open one more slot for each sequence; call before the layers of a step. */
  beginStep(like: Tensor): StepView {
    const length = Math.max(...this.#lengths) + 1;
    if (length > this.#capacity) this.#grow(length);
    const mask = new Float32Array(this.#lengths.length * length);
    const slots = this.#lengths.map((used, b) => {
      mask.fill(Number.NEGATIVE_INFINITY, b * length + used + 1, (b + 1) * length);
      return b * this.#capacity + used;
    });
    this.#lengths = this.#lengths.map((used) => used + 1);
    const { dtype, device } = like;
    return {
      slots: int64(slots, device),
      mask: fromArray(mask, [slots.length, 1, 1, length], { dtype, device }),
      length,
    };
  }

  /**
   * Write this step's keys and values and attend to everything before.
   * @param q [B, heads, dim] @param k, v [B, kvHeads, dim] @returns [B, heads · dim].
   */
  attend(layer: number, q: Tensor, k: Tensor, v: Tensor, step: StepView): Tensor {
    const slots = this.#layers[layer];
    if (slots === undefined) throw new RangeError(`expected layer ${layer} of the cache filled`);
    const [batch = 1, heads = 1, dim = 1] = q.shape;
    const kvHeads = k.shape[1] ?? 1;
    const write = (all: Tensor, row: Tensor): Tensor => {
      ops.indexCopy_(ops.view(all, [-1, kvHeads, dim]), 0, step.slots, row);
      return ops.transpose(ops.narrow(all, 1, 0, step.length), 1, 2);
    };
    const out = ops.scaledDotProductAttention(
      ops.unsqueeze(q, 2),
      write(slots.keys, k),
      write(slots.values, v),
      { attnMask: step.mask, enableGqa: heads !== kvHeads },
    );
    return ops.reshape(out, [batch, heads * dim]);
  }

  /** Keep only some sequences, in the given order. */
  select(sequences: readonly number[]): void {
    this.#replace((all) => ops.indexSelect(all, 0, int64(sequences, all.device)));
    this.#lengths = sequences.map((b) => this.#lengths[b] ?? 0);
  }

  [Symbol.dispose](): void {
    for (const { keys, values } of this.#layers) {
      keys.dispose();
      values.dispose();
    }
    this.#layers = [];
  }

  #grow(length: number): void {
    const capacity = Math.max(length, 2 * this.#capacity);
    this.#replace((all) => {
      const [batch = 1, used = 1, heads = 1, dim = 1] = all.shape;
      const options = { dtype: all.dtype, device: all.device };
      return ops.cat([all, ops.zeros([batch, capacity - used, heads, dim], options)], { dim: 1 });
    });
    this.#capacity = capacity;
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

function int64(values: readonly number[], device: string): Tensor {
  return fromArray(BigInt64Array.from(values, BigInt), [values.length], { device });
}
