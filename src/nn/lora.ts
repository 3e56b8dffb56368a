// Low-rank adapters: a linear layer that is frozen learns a product of two thin matrices beside its
// weight (Hu et al. 2021). Shapes: down [rank, in], up [out, rank].

import { hashUint32 } from '../core/hash.ts';
import { createGenerator, keep, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { AdaptableLinear } from './module.ts';

export interface LoraOptions {
  readonly rank: number;
  /** The product is scaled by alpha / rank. */
  readonly alpha: number;
  readonly seed: number;
}

/**
 * Adapters of some linear layers: y = xWᵀ + alpha/rank · (x downᵀ) upᵀ. They start as no change: `up`
 * is zero. Parameters have the names of the peft library: `<layer>.lora_A.weight` is down,
 * `<layer>.lora_B.weight` is up.
 */
export class Lora {
  readonly #layers: ReadonlyMap<string, AdaptableLinear>;

  /** @param layers by the names of their weights; they take their adapters at once */
  constructor(layers: ReadonlyMap<string, AdaptableLinear>, options: LoraOptions) {
    const { rank, alpha, seed } = options;
    this.#layers = layers;
    for (const [name, layer] of layers) {
      const [numOut = 0, numIn = 0] = layer.weight.shape;
      const { dtype, device } = layer.weight;
      const generator = createGenerator('cpu', hashUint32(seed, 'lora', name));
      const made = tidy(() => {
        const down = ops.empty([rank, numIn], { dtype: 'float32', device: 'cpu' });
        ops.normal_(down, { mean: 0, std: numIn ** -0.5, generator });
        const up = ops.zeros([numOut, rank], { dtype, device });
        return { down: ops.toCopy(down, { dtype, device }), up };
      });
      layer.adapter = keep({ ...made, scale: alpha / rank });
    }
  }

  /** What is trained. */
  parameters(): Map<string, Tensor> {
    const out = new Map<string, Tensor>();
    for (const [name, { adapter }] of this.#layers) {
      if (adapter === null) continue;
      const layer = name.replace(/weight$/, '');
      out.set(`${layer}lora_A.weight`, adapter.down).set(`${layer}lora_B.weight`, adapter.up);
    }
    return out;
  }

  /** Name of each adapted weight → what it is without its adapter. */
  bases(): Map<string, Tensor> {
    return new Map([...this.#layers].map(([name, { weight }]) => [name, weight]));
  }

  /** The weight with its adapter in it, new; null for one without. Summed in float32. */
  merged(name: string): Tensor | null {
    const layer = this.#layers.get(name);
    const adapter = layer?.adapter ?? null;
    if (layer === undefined || adapter === null) return null;
    const wide = (tensor: Tensor): Tensor => ops.toDtype(ops.detach(tensor), 'float32');
    return tidy(() =>
      noGrad(() => {
        const product = ops.mm(wide(adapter.up), wide(adapter.down));
        const sum = ops.add(wide(layer.weight), product, { alpha: adapter.scale });
        return ops.toCopy(sum, { dtype: layer.weight.dtype });
      }),
    );
  }

  /** Makes every adapter no change again. */
  reset(): void {
    noGrad(() => {
      for (const { adapter } of this.#layers.values()) if (adapter !== null) ops.zero_(adapter.up);
    });
  }

  /** Writes every adapter into its weight and removes it. */
  merge(): void {
    for (const [name, layer] of this.#layers) {
      tidy(() => {
        const merged = this.merged(name);
        if (merged !== null) noGrad(() => void ops.copy_(layer.weight, merged));
      });
      this.#remove(layer);
    }
  }

  #remove(layer: AdaptableLinear): void {
    layer.adapter?.down.dispose();
    layer.adapter?.up.dispose();
    layer.adapter = null;
  }

  /** Removes the adapters without a trace. */
  [Symbol.dispose](): void {
    for (const layer of this.#layers.values()) this.#remove(layer);
  }
}
