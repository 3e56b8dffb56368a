// The adapter between tower and decoder: four neighbouring patches become one image token.
// Shapes: x [P, C] in merge-block order → [P / mergeSize², text width].

import { Linear } from '../nn/linear.ts';
import { Module, type Scope } from '../nn/module.ts';
import { LayerNorm } from '../nn/norm.ts';
import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { VisionConfig } from './config.ts';

/** LayerNorm → rows of mergeSize² patches side by side → Linear → GELU (erf) → Linear. */
export class Merger extends Module {
  readonly #norm: LayerNorm;
  readonly #inner: Linear;
  readonly #outer: Linear;
  readonly #width: number;

  constructor(scope: Scope, config: VisionConfig, textWidth: number) {
    super(scope);
    this.#width = config.hiddenSize * config.mergeSize ** 2;
    this.#norm = new LayerNorm(scope.child('ln_q'), config.hiddenSize, config.mergerEps);
    this.#inner = new Linear(scope.child('mlp.0'), this.#width, this.#width, { bias: true });
    this.#outer = new Linear(scope.child('mlp.2'), this.#width, textWidth, { bias: true });
  }

  forward(x: Tensor): Tensor {
    const merged = ops.view(this.#norm.forward(x), [-1, this.#width]);
    return this.#outer.forward(ops.gelu(this.#inner.forward(merged)));
  }
}
