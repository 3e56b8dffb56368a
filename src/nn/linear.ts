// A linear layer and a table of embeddings. Parameters have PyTorch's names and layout.
// Shapes: Linear x [..., in] → [..., out], weight [out, in]; Embedding ids [n] → [n, dim].

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { Module, type Scope } from './module.ts';

/** y = x Wᵀ + b. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(scope: Scope, numIn: number, numOut: number, options: { bias: boolean }) {
    super(scope);
    this.weight = scope.parameter('weight', [numOut, numIn], 'normal');
    this.bias = options.bias ? scope.parameter('bias', [numOut], 'zeros') : null;
  }

  forward(x: Tensor): Tensor {
    return ops.linear(x, this.weight, { bias: this.bias });
  }
}

/** Rows of a table [numRows, dim], chosen by id. */
export class Embedding extends Module {
  readonly weight: Tensor;

  constructor(scope: Scope, numRows: number, dim: number) {
    super(scope);
    this.weight = scope.parameter('weight', [numRows, dim], 'normal');
  }

  forward(ids: Tensor): Tensor {
    return ops.embedding(this.weight, ids);
  }
}
