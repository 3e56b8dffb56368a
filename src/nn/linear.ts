// A linear layer and a table of embeddings. Parameters have PyTorch's names and layout.
// Shapes: Linear x [..., in] → [..., out], weight [out, in]; Embedding ids [n] → [n, dim].

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import {
  type AdaptableLinear,
  type Adapter,
  Module,
  type Precision,
  type Scope,
} from './module.ts';

/**
 * x Wᵀ + b, multiplied in `precision.matmul` (mixed precision: the weights, the sums of gradients
 * and everything between linear layers keep their type). Without a graph, few rows of x on the
 * processor run on kernels of our own (native/linear_rows.cc), which read each weight once.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { matmul }: Precision,
): Tensor {
  const { dtype } = x;
  if (matmul === null || matmul === dtype) return ops.linearRows(x, weight, { bias });
  const to = (tensor: Tensor): Tensor => ops.toCopy(tensor, { dtype: matmul });
  const product = ops.linearRows(to(x), to(weight), { bias: bias === null ? null : to(bias) });
  return ops.toCopy(product, { dtype });
}

/** y = x Wᵀ + b. A source that gives int8 weights (quantise.ts) gives a scale for each row too. */
export class Linear extends Module implements AdaptableLinear {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  adapter: Adapter | null = null;
  readonly #scale: Tensor | null;
  readonly #precision: Precision;

  constructor(scope: Scope, numIn: number, numOut: number, options: { bias: boolean }) {
    super(scope);
    this.weight = scope.parameter('weight', [numOut, numIn], 'normal');
    const isInt8 = this.weight.dtype === 'int8';
    this.#scale = isInt8 ? scope.parameter('weight_scale', [numOut], 'ones') : null;
    this.bias = options.bias ? scope.parameter('bias', [numOut], 'zeros') : null;
    this.#precision = scope.precision;
    scope.linears.set(`${scope.prefix}weight`, this);
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, adapter } = this;
    if (this.#scale !== null) return ops.linearRows(x, weight, { bias, scale: this.#scale });
    const y = linear(x, weight, bias, this.#precision);
    if (adapter === null) return y;
    const low = linear(x, adapter.down, null, this.#precision);
    return ops.add(y, linear(low, adapter.up, null, this.#precision), { alpha: adapter.scale });
  }
}

/**
 * Rows of a table [numRows, dim], chosen by id. From an int8 source (quantise.ts) rows come in
 * float32.
 */
export class Embedding extends Module {
  readonly weight: Tensor;
  readonly #scale: Tensor | null;

  constructor(scope: Scope, numRows: number, dim: number) {
    super(scope);
    this.weight = scope.parameter('weight', [numRows, dim], 'normal');
    const isInt8 = this.weight.dtype === 'int8';
    this.#scale = isInt8 ? scope.parameter('weight_scale', [numRows], 'ones') : null;
  }

  forward(ids: Tensor): Tensor {
    const rows = ops.embedding(this.weight, ids);
    if (this.#scale === null) return rows;
    return ops.mul(rows, ops.unsqueeze(ops.indexSelect(this.#scale, 0, ids), -1));
  }

  /** The table as an output head: x [n, dim] → [n, numRows]. */
  project(x: Tensor): Tensor {
    const scale = this.#scale;
    return scale === null
      ? ops.linearRows(x, this.weight)
      : ops.linearRows(x, this.weight, { scale });
  }
}
