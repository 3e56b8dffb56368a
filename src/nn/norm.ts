// Normalisation over the last dimension. Shapes: x [..., dim] → [..., dim].

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { Module, type Scope } from './module.ts';

/** (x − mean) / √(variance + eps) ⊙ weight + bias. Ba et al. 2016. */
export class LayerNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #dim: number;
  readonly #eps: number;

  constructor(scope: Scope, dim: number, eps: number) {
    super(scope);
    this.weight = scope.parameter('weight', [dim], 'ones');
    this.bias = scope.parameter('bias', [dim], 'zeros');
    this.#dim = dim;
    this.#eps = eps;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    return ops.layerNorm(x, [this.#dim], { weight, bias, eps: this.#eps });
  }
}

/** x / √(mean(x²) + eps) ⊙ weight. Zhang and Sennrich 2019. */
export class RmsNorm extends Module {
  readonly weight: Tensor;
  readonly #eps: number;

  constructor(scope: Scope, dim: number, eps: number) {
    super(scope);
    this.weight = scope.parameter('weight', [dim], 'ones');
    this.#eps = eps;
  }

  /** Without a graph, one pass over each row (native/rms_norm.cc). */
  forward(x: Tensor): Tensor {
    return ops.rmsNormRows(x, this.weight, this.#eps);
  }
}
