// AdamW over ATen's fused kernel: one call per group and step. Loshchilov and Hutter 2019.

import { hashUint32 } from '../../core/hash.ts';
import { createGenerator, keep, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { copyState, type Optimizer, type ParameterGroup } from './optimizer.ts';
import { roundStochastically } from './stochastic.ts';

export interface AdamWOptions {
  /** Decay rates of the two moments. Default (0.9, 0.95). */
  readonly betas?: readonly [number, number];
  /** Default 1e-8; the original's recipes use 1e-5. */
  readonly eps?: number;
  /** Seed of the stochastic rounding of bfloat16 parameters. Default 0. */
  readonly seed?: number;
}

/** The moments of one parameter and how many steps it has seen. */
interface Slot {
  readonly name: string;
  readonly parameter: Tensor;
  readonly mean: Tensor;
  readonly square: Tensor;
  readonly steps: Tensor;
  readonly isHalf: boolean;
}

interface GroupSettings {
  readonly lr: number;
  readonly weightDecay: number;
}

interface SlotGroup {
  readonly slots: readonly Slot[];
  readonly lrScale: number;
  readonly weightDecay: number;
}

/**
 * m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − lr·λ·p − lr·m̂ / (√v̂ + eps).
 * State per parameter: `<name>.exp_avg`, `<name>.exp_avg_sq`, `<name>.step`. Parameters in bfloat16
 * have float32 state, are updated in float32 and rounded stochastically.
 */
export class AdamW implements Optimizer {
  readonly #groups: readonly SlotGroup[];
  readonly #betas: readonly [number, number];
  readonly #eps: number;
  readonly #seed: number;

  constructor(groups: readonly ParameterGroup[], options: AdamWOptions = {}) {
    this.#betas = options.betas ?? [0.9, 0.95];
    this.#eps = options.eps ?? 1e-8;
    this.#seed = options.seed ?? 0;
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
    for (const { slots, lrScale, weightDecay } of this.#groups) {
      const settings = { lr: lr * lrScale, weightDecay };
      const [whole, gradients]: [Slot[], Tensor[]] = [[], []];
      for (const slot of slots) {
        const { grad } = slot.parameter;
        if (grad === null) continue;
        if (slot.isHalf) tidy(() => this.#updateRounded(slot, grad, settings));
        else {
          whole.push(slot);
          gradients.push(grad);
        }
      }
      const parameters = whole.map(({ parameter }) => parameter);
      if (whole.length > 0) this.#fused(whole, parameters, gradients, settings);
    }
  }

  /** A parameter in half precision: there and back, so that only one is float32 at a time. */
  #updateRounded(slot: Slot, grad: Tensor, settings: GroupSettings): void {
    const [wide, gradient] = [slot.parameter, grad].map((half) =>
      ops.toCopy(half, { dtype: 'float32' }),
    ) as [Tensor, Tensor];
    this.#fused([slot], [wide], [gradient], settings);
    const seed = hashUint32(this.#seed, 'round', slot.name, slot.steps.item());
    const generator = createGenerator(slot.parameter.device, seed);
    ops.copy_(slot.parameter, roundStochastically(wide, generator));
  }

  #fused(
    slots: readonly Slot[],
    parameters: readonly Tensor[],
    gradients: readonly Tensor[],
    settings: GroupSettings,
  ): void {
    const [beta1, beta2] = this.#betas;
    const steps = slots.map((slot) => slot.steps);
    ops.foreachAddScalar_(steps, 1);
    ops.fusedAdamw_(
      parameters,
      gradients,
      slots.map((slot) => slot.mean),
      slots.map((slot) => slot.square),
      [],
      steps,
      { ...settings, beta1, beta2, eps: this.#eps, amsgrad: false, maximize: false },
    );
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
  const isHalf = parameter.dtype === 'bfloat16';
  const dtype = isHalf ? 'float32' : parameter.dtype;
  return {
    name,
    parameter,
    mean: keep(ops.zerosLike(parameter, { dtype })),
    square: keep(ops.zerosLike(parameter, { dtype })),
    steps: keep(ops.zeros([], { dtype: 'float32', device: parameter.device })),
    isHalf,
  };
}
