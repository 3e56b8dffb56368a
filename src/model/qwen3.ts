// The Qwen3 decoder over rows of concatenated segments. It knows neither masks nor caches: how
// rows see each other is the context's business. Shapes: x [rows, hidden]; q [rows, heads, dim].

import {
  type RecomputeSchedule,
  recomputeOf,
  runBlock,
  type Through,
} from '../nn/lean/recompute.ts';
import { Embedding, Linear } from '../nn/linear.ts';
import { SwiGlu } from '../nn/mlp.ts';
import { Module, type Scope } from '../nn/module.ts';
import { RmsNorm } from '../nn/norm.ts';
import { applyRope, type RopeTable } from '../nn/rope.ts';
import type { DType, Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { TextConfig } from './config.ts';
import { Experts, type Routing } from './experts.ts';

/** What all layers share in one forward: angles, and attention in training or with a cache. */
export interface DecoderContext {
  readonly rope: RopeTable;
  /** q [rows, heads, dim]; k, v [rows, kvHeads, dim] → [rows, heads · dim]. */
  attend(layer: number, q: Tensor, k: Tensor, v: Tensor): Tensor;
  /** [n] rows that are read after the last layer, whose feed-forward runs on no others. Default: all. */
  readonly read?: Tensor | undefined;
  /** Sees what each layer of experts decided; for the load-balancing loss. */
  readonly onRouting?: (routing: Routing) => void;
  /** What backward computes again. Default: nothing. */
  readonly recompute?: RecomputeSchedule | undefined;
  /** Runs a layer, with what its parameters need before and after. Default: plainly. */
  readonly around?: ((layer: number, x: Tensor, run: (x: Tensor) => Tensor) => Tensor) | undefined;
}

/** Grouped-query attention, RMSNorm over each head of q and k before the rotation, no biases. */
class Qwen3Attention extends Module {
  readonly #query: Linear;
  readonly #key: Linear;
  readonly #value: Linear;
  readonly #output: Linear;
  readonly #queryNorm: RmsNorm;
  readonly #keyNorm: RmsNorm;
  readonly #config: TextConfig;

  constructor(scope: Scope, config: TextConfig) {
    super(scope);
    const { hiddenSize, headDim, numHeads, numKvHeads, rmsNormEps } = config;
    const linear = (name: string, numIn: number, numOut: number): Linear =>
      new Linear(scope.child(name), numIn, numOut, { bias: false });
    this.#query = linear('q_proj', hiddenSize, numHeads * headDim);
    this.#key = linear('k_proj', hiddenSize, numKvHeads * headDim);
    this.#value = linear('v_proj', hiddenSize, numKvHeads * headDim);
    this.#output = linear('o_proj', numHeads * headDim, hiddenSize);
    this.#queryNorm = new RmsNorm(scope.child('q_norm'), headDim, rmsNormEps);
    this.#keyNorm = new RmsNorm(scope.child('k_norm'), headDim, rmsNormEps);
    this.#config = config;
  }

  forward(x: Tensor, layer: number, context: DecoderContext): Tensor {
    const { headDim, numHeads, numKvHeads } = this.#config;
    const rows = x.shape[0] ?? 0;
    const heads = (linear: Linear, count: number): Tensor =>
      ops.view(linear.forward(x), [rows, count, headDim]);
    const q = applyRope(this.#queryNorm.forward(heads(this.#query, numHeads)), context.rope);
    const k = applyRope(this.#keyNorm.forward(heads(this.#key, numKvHeads)), context.rope);
    return this.#output.forward(context.attend(layer, q, k, heads(this.#value, numKvHeads)));
  }
}

/** x + attention(norm(x)), then x + mlp(norm(x)). */
class Qwen3Layer extends Module {
  readonly #inputNorm: RmsNorm;
  readonly #attention: Qwen3Attention;
  readonly #mlpNorm: RmsNorm;
  readonly #mlp: SwiGlu | Experts;

  constructor(scope: Scope, config: TextConfig, layer: number) {
    super(scope);
    const { hiddenSize, rmsNormEps, experts } = config;
    this.#inputNorm = new RmsNorm(scope.child('input_layernorm'), hiddenSize, rmsNormEps);
    this.#attention = new Qwen3Attention(scope.child('self_attn'), config);
    this.#mlpNorm = new RmsNorm(scope.child('post_attention_layernorm'), hiddenSize, rmsNormEps);
    this.#mlp =
      experts === undefined || experts.denseLayers.includes(layer)
        ? new SwiGlu(scope.child('mlp'), hiddenSize, config.intermediateSize)
        : new Experts(scope.child('mlp'), hiddenSize, experts);
  }

  /** Whether a layer of experts: their routing must not be decided twice. */
  get hasExperts(): boolean {
    return this.#mlp instanceof Experts;
  }

  forward(x: Tensor, layer: number, context: DecoderContext, through: Through): Tensor {
    const mlp = this.#mlp;
    const all = through(
      [x],
      (x) => this.#inputNorm.forward(x),
      (normed, x) => ops.add(x, this.#attention.forward(normed, layer, context)),
    );
    // Experts are balanced over all rows.
    const { read } = context;
    const [early, late] = this.hasExperts ? [undefined, read] : [read, undefined];
    const attended = rowsAt(all, early);
    const feed = (normed: Tensor): Tensor =>
      mlp instanceof Experts
        ? mlp.forward(normed, context.onRouting)
        : mlp.forward(normed, through);
    const fed = through(
      [attended],
      (attended) => this.#mlpNorm.forward(attended),
      (normed, attended) => ops.add(attended, feed(normed)),
    );
    return rowsAt(fed, late);
  }
}

function rowsAt(x: Tensor, rows: Tensor | undefined): Tensor {
  return rows === undefined ? x : ops.indexSelect(x, 0, rows);
}

/** Embedding, layers and last norm. The output head belongs to the whole model. */
export class Qwen3 extends Module {
  readonly embedding: Embedding;
  readonly #layers: readonly Qwen3Layer[];
  readonly #norm: RmsNorm;

  constructor(scope: Scope, config: TextConfig) {
    super(scope);
    this.embedding = new Embedding(
      scope.child('embed_tokens'),
      config.vocabSize,
      config.hiddenSize,
    );
    this.#layers = Array.from(
      { length: config.numLayers },
      (_, i) => new Qwen3Layer(scope.child(`layers.${i}`), config, i),
    );
    this.#norm = new RmsNorm(scope.child('norm'), config.hiddenSize, config.rmsNormEps);
  }

  /** Of everything that is not rounded to int8. */
  get dtype(): DType {
    return this.#norm.weight.dtype;
  }

  /** Ids [rows] → [rows, hidden]. */
  embed(ids: Tensor): Tensor {
    const rows = this.embedding.forward(ids);
    return rows.dtype === this.dtype ? rows : ops.toCopy(rows, { dtype: this.dtype });
  }

  /** All layers and the last norm: [rows, hidden] → [rows that are read, hidden]. */
  forward(x: Tensor, context: DecoderContext): Tensor {
    let hidden = x;
    const { around = (_layer, x, run) => run(x) } = context;
    const inner = { ...context, read: undefined };
    for (const [i, layer] of this.#layers.entries()) {
      const { cos, sin } = context.rope;
      const wanted = recomputeOf(context.recompute, i);
      const mode = wanted === 'full' && layer.hasExperts ? 'selective' : wanted;
      const seen = i + 1 < this.#layers.length ? inner : context;
      hidden = around(i, hidden, (x) =>
        runBlock(mode, [x, cos, sin], ([x], through) => layer.forward(x, i, seen, through)),
      );
    }
    return this.#norm.forward(hidden);
  }
}
