// Qwen3's mixture of experts: a router sends each row to a few of many small SwiGLU layers. Rows
// are sorted by expert and multiplied group by group, in one operator where ATen has it.
// Shapes: x [rows, H]; E experts, k of them for a row; I their width; N = rows · k.

import { type Spread, WHOLE } from '../nn/lean/spread.ts';
import { Linear } from '../nn/linear.ts';
import { Module, type Precision, type Scope } from '../nn/module.ts';
import { type DType, fromArray, keep, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { ExpertsConfig } from './config.ts';

/** What the router decided for each row. */
export interface Routing {
  /** [rows, E] float32 (float64 in a float64 model). */
  readonly probabilities: Tensor;
  /** [rows, k] int64. */
  readonly chosen: Tensor;
  /** [rows, k] in the type of x. */
  readonly weights: Tensor;
}

/** The matrices of all experts; int8 from a source that rounds (quantise.ts), with scales [E, rows]. */
interface ExpertStack {
  readonly weight: Tensor;
  readonly scale: Tensor | null;
}

/** Experts stacked in memory as transformers 5 has them; on disk each has a name of its own. */
export class Experts extends Module {
  readonly #router: Linear;
  readonly #gateUp: ExpertStack;
  readonly #down: ExpertStack;
  readonly #config: ExpertsConfig;
  readonly #precision: Precision;

  constructor(scope: Scope, width: number, config: ExpertsConfig) {
    super(scope);
    const { numExperts, intermediateSize } = config;
    this.#router = new Linear(scope.child('gate'), width, numExperts, { bias: false });
    const stack = (name: string, rows: number, columns: number): ExpertStack => {
      const weight = scope.parameter(`experts.${name}`, [numExperts, rows, columns], 'normal');
      if (weight.dtype !== 'int8') return { weight, scale: null };
      return {
        weight,
        scale: scope.parameter(`experts.${name}_scale`, [numExperts, rows], 'ones'),
      };
    };
    this.#gateUp = stack('gate_up_proj', 2 * intermediateSize, width);
    this.#down = stack('down_proj', width, intermediateSize);
    this.#config = config;
    this.#precision = scope.precision;
  }

  /** @param onRouting sees what the router decided, inside the caller's `tidy`. */
  forward(x: Tensor, onRouting?: (routing: Routing) => void): Tensor {
    const routing = this.#route(x);
    onRouting?.(routing);
    const { numExperts, numActive, intermediateSize } = this.#config;
    const [rows = 0, width = 0] = x.shape;
    const expertOfPair = ops.reshape(routing.chosen, [-1]);
    const order = ops.argsortStable(expertOfPair, { stable: true });
    const counts = ops.bincount(expertOfPair, { minlength: numExperts });
    const sorted = ops.indexSelect(x, 0, ops.divMode(order, numActive, { roundingMode: 'floor' }));
    const inner = this.#multiply(sorted, this.#gateUp, counts);
    const [gate, up] = ops.splitSizes(inner, [intermediateSize, intermediateSize], { dim: -1 });
    const mixed = ops.mul(ops.silu(gate as Tensor), up as Tensor);
    const outer = this.#multiply(mixed, this.#down, counts);
    // Back into order of rows by index: sums of fixed order, the same bits each time.
    const restored = ops.indexSelect(outer, 0, ops.argsortStable(order, { stable: true }));
    const perRow = ops.view(restored, [rows, numActive, width]);
    return ops.sumDim(ops.mul(perRow, ops.unsqueeze(routing.weights, -1)), [1]);
  }

  /** softmax over all experts, the k largest, their weights made to sum to 1 where configured. */
  #route(x: Tensor): Routing {
    const { numActive, normTopkProb } = this.#config;
    const logits = this.#router.forward(x);
    const dtype = x.dtype === 'float64' ? 'float64' : 'float32';
    const probabilities = ops.softmax(logits, -1, { dtype });
    const [top, chosen] = ops.topk(probabilities, numActive);
    const share = normTopkProb ? ops.div(top, ops.sumDim(top, [-1], { keepdim: true })) : top;
    const weights = share.dtype === x.dtype ? share : ops.toCopy(share, { dtype: x.dtype });
    return { probabilities, chosen, weights };
  }

  /** Rows sorted by expert times each expert's own matrix: [N, in] · [E, out, in] → [N, out]. */
  #multiply(sorted: Tensor, { weight: stack, scale }: ExpertStack, counts: Tensor): Tensor {
    const { dtype } = sorted;
    if (scale !== null) return multiplyInt8(sorted, stack, scale, counts);
    const matmul = this.#precision.matmul ?? dtype;
    const to = (x: Tensor): Tensor => (x.dtype === matmul ? x : ops.toCopy(x, { dtype: matmul }));
    const product = isGroupable(matmul, stack.shape)
      ? ops.groupedMm(to(sorted), ops.transpose(to(stack), 1, 2), {
          offs: ops.cumsum(counts, 0, { dtype: 'int32' }),
        })
      : multiplyOneByOne(to(sorted), to(stack), counts);
    return product.dtype === dtype ? product : ops.toCopy(product, { dtype });
  }
}

/** The grouped kernel wants half or single floats and rows of a multiple of 16 bytes. */
function isGroupable(dtype: DType, [, rows = 0, columns = 0]: readonly number[]): boolean {
  const isKnown = dtype === 'bfloat16' || dtype === 'float16' || dtype === 'float32';
  return isKnown && rows % 8 === 0 && columns % 8 === 0;
}

function multiplyOneByOne(sorted: Tensor, stack: Tensor, counts: Tensor): Tensor {
  const parts = ops.splitSizes(sorted, counts.toNumbers());
  return ops.cat(parts.map((part, expert) => ops.linear(part, ops.select(stack, 0, expert))));
}

/** Only the experts that rows went to: the bytes of the others are never read. */
function multiplyInt8(sorted: Tensor, stack: Tensor, scale: Tensor, counts: Tensor): Tensor {
  const numbers = counts.toNumbers();
  const parts = ops.splitSizes(sorted, numbers);
  const products = parts.flatMap((part, expert) => {
    if (numbers[expert] === 0) return [];
    const scales = ops.select(scale, 0, expert);
    return [ops.linearRows(part, ops.select(stack, 0, expert), { scale: scales })];
  });
  return ops.cat(products);
}

/**
 * The load-balancing loss over all layers of one forward: E · Σₑ f(e) · P(e), with f the share of
 * rows that went to expert e (k in sum) and P its mean probability. Fedus et al. 2021, eq. 4–6,
 * as transformers' Qwen3MoeForCausalLM counts it.
 */
export class BalanceLoss {
  readonly #rows: Tensor;
  readonly #config: ExpertsConfig;
  readonly #spread: Spread;
  readonly #counts: Tensor[] = [];
  readonly #sums: Tensor[] = [];
  readonly #numTokens: number;

  /**
   * @param rows the own rows that hold tokens: padding does not count.
   * @param whole tokens of the batch, and the processes over which its rows lie. Default: all here
   */
  constructor(
    config: ExpertsConfig,
    rows: Int32Array,
    device: string,
    whole: { readonly numTokens: number; readonly spread: Spread } = {
      numTokens: rows.length,
      spread: WHOLE,
    },
  ) {
    this.#config = config;
    this.#rows = fromArray(rows, [rows.length], { device });
    this.#numTokens = whole.numTokens;
    this.#spread = whole.spread;
  }

  /** Take the decisions of one layer. */
  add({ probabilities, chosen }: Routing): void {
    const { numExperts } = this.#config;
    tidy(() => {
      const experts = ops.reshape(ops.indexSelect(chosen, 0, this.#rows), [-1]);
      const counts = ops.bincount(experts, { minlength: numExperts });
      this.#counts.push(keep(ops.toCopy(counts, { dtype: probabilities.dtype })));
      this.#sums.push(keep(ops.sumDim(ops.indexSelect(probabilities, 0, this.#rows), [0])));
    });
  }

  /** The loss of own rows, a scalar: sums over processes are the batch's. Null without experts. Once. */
  finish(): Tensor | null {
    const numLayers = this.#counts.length;
    if (numLayers === 0) return null;
    const total = (parts: readonly Tensor[]): Tensor => ops.sumDim(ops.stack(parts), [0]);
    const counts = this.#spread.sum(total(this.#counts));
    const product = ops.sum(ops.mul(counts, total(this.#sums)));
    for (const part of [...this.#counts, ...this.#sums]) part.dispose();
    return ops.mulScalar(product, this.#config.numExperts / (numLayers * this.#numTokens) ** 2);
  }
}
