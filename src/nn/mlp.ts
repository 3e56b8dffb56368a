// The two feed-forward layers in use. Shapes: x [rows, dim] → [rows, dim].

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { keeping, type Through } from './lean/recompute.ts';
import { Linear } from './linear.ts';
import { Module, type Scope } from './module.ts';

/** fc2(gelu(fc1(x))), both with bias; GELU exact (erf), as RICE-ViT. */
export class GeluMlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(scope: Scope, dim: number, inner: number) {
    super(scope);
    this.fc1 = new Linear(scope.child('fc1'), dim, inner, { bias: true });
    this.fc2 = new Linear(scope.child('fc2'), inner, dim, { bias: true });
  }

  forward(x: Tensor, through: Through = keeping): Tensor {
    return through(
      [this.fc1.forward(x)],
      (inner) => ops.gelu(inner),
      (active) => this.fc2.forward(active),
    );
  }
}

/** down(silu(gate(x)) ⊙ up(x)) without biases, as Qwen3. Shazeer 2020. */
export class SwiGlu extends Module {
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;

  constructor(scope: Scope, dim: number, inner: number) {
    super(scope);
    this.gate = new Linear(scope.child('gate_proj'), dim, inner, { bias: false });
    this.up = new Linear(scope.child('up_proj'), dim, inner, { bias: false });
    this.down = new Linear(scope.child('down_proj'), inner, dim, { bias: false });
  }

  forward(x: Tensor, through: Through = keeping): Tensor {
    return through(
      [this.gate.forward(x), this.up.forward(x)],
      (gate, up) => ops.mul(ops.silu(gate), up),
      (active) => this.down.forward(active),
    );
  }
}
