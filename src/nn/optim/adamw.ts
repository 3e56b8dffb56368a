// AdamW over ATen's fused kernel: one call per group and step. Loshchilov and Hutter 2019.

import { keep, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { copyState, type Optimizer, type ParameterGroup } from './optimizer.ts';

export interface AdamWOptions {
  /** Decay rates of the two moments. Default (0.9, 0.95). */
  readonly betas?: readonly [number, number];
  /** Default 1e-8; the original's recipes use 1e-5. */
  readonly eps?: number;
}

/** The moments of one parameter and how many steps it has seen. */
interface Slot {
  readonly name: string;
  readonly parameter: Tensor;
  readonly mean: Tensor;
  readonly square: Tensor;
  readonly steps: Tensor;
}

interface SlotGroup {
  readonly slots: readonly Slot[];
  readonly lrScale: number;
  readonly weightDecay: number;
}

/**
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − lr·λ·p − lr·m̂ / (√v̂ + eps).
 * State per parameter: `<name>.exp_avg`, `<name>.exp_avg_sq`, `<name>.step`.
 */
export class AdamW implements Optimizer {
  readonly #groups: readonly SlotGroup[];
  readonly #betas: readonly [number, number];
  readonly #eps: number;

  constructor(groups: readonly ParameterGroup[], options: AdamWOptions = {}) {
    this.#betas = options.betas ?? [0.9, 0.95];
    this.#eps = options.eps ?? 1e-8;
    this.#groups = groups.map(({ parameters, lrScale = 1, weightDecay = 0 }) => ({
      slots: [...parameters].map(([name, parameter]) => makeSlot(name, parameter)),
      lrScale,
      weightDecay,
    }));
  }

  step(lr: number): void {
    noGrad(() => tidy(() => this.#update(lr)));
  }

  #update(lr: number): void {
    const [beta1, beta2] = this.#betas;
    for (const { slots, lrScale, weightDecay } of this.#groups) {
      const active: Slot[] = [];
      const gradients: Tensor[] = [];
      for (const slot of slots) {
        const { grad } = slot.parameter;
        if (grad === null) continue;
        active.push(slot);
        gradients.push(grad);
      }
      if (active.length === 0) continue;
      const steps = active.map((slot) => slot.steps);
      ops.foreachAddScalar_(steps, 1);
      ops.fusedAdamw_(
        active.map((slot) => slot.parameter),
        gradients,
        active.map((slot) => slot.mean),
        active.map((slot) => slot.square),
        [],
        steps,
        {
          lr: lr * lrScale,
          beta1,
          beta2,
          weightDecay,
          eps: this.#eps,
          amsgrad: false,
          maximize: false,
        },
      );
    }
  }

  state(): Map<string, Tensor> {
    const out = new Map<string, Tensor>();
    for (const { slots } of this.#groups) {
      for (const { name, mean, square, steps } of slots) {
        out.set(`${name}.exp_avg`, mean).set(`${name}.exp_avg_sq`, square);
        out.set(`${name}.step`, steps);
      }
    }
    return out;
  }

  loadState(saved: ReadonlyMap<string, Tensor>): void {
    copyState(this.state(), saved);
  }

  [Symbol.dispose](): void {
    for (const tensor of this.state().values()) tensor.dispose();
  }
}

function makeSlot(name: string, parameter: Tensor): Slot {
  return {
    name,
    parameter,
    mean: keep(ops.zerosLike(parameter)),
    square: keep(ops.zerosLike(parameter)),
    steps: keep(ops.zeros([], { dtype: 'float32', device: parameter.device })),
  };
}
