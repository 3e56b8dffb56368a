// RICE-ViT, the vision tower: patches → features, each image a segment with a class token of its
// own. Shapes: P patches, R rows (patches and class tokens in the plan's order), C width.

import { type AttentionLayout, attentionLayout, varlenAttention } from '../nn/attention.ts';
import {
  type RecomputeSchedule,
  recomputeOf,
  runBlock,
  type Through,
} from '../nn/lean/recompute.ts';
import { Linear, linear } from '../nn/linear.ts';
import { GeluMlp } from '../nn/mlp.ts';
import { Module, type Precision, type Scope } from '../nn/module.ts';
import { LayerNorm } from '../nn/norm.ts';
import { applyRope, gridAngles, type RopeTable, ropeTable } from '../nn/rope.ts';
import { planSegments, type SegmentPlan } from '../nn/segments.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { VisionConfig } from './config.ts';

/** What all blocks share in one forward. */
interface BlockContext {
  readonly rope: RopeTable;
  readonly layout: AttentionLayout;
}

/** Fused qkv → 2-D rotary → attention inside segments → projection. */
class VisionAttention extends Module {
  readonly #qkv: Linear;
  readonly #proj: Linear;
  readonly #numHeads: number;

  constructor(scope: Scope, width: number, numHeads: number) {
    super(scope);
    this.#qkv = new Linear(scope.child('qkv'), width, 3 * width, { bias: true });
    this.#proj = new Linear(scope.child('proj'), width, width, { bias: true });
    this.#numHeads = numHeads;
  }

  forward(x: Tensor, { rope, layout }: BlockContext): Tensor {
    const [rows = 0, width = 0] = x.shape;
    const heads = this.#numHeads;
    const shape = [rows, heads, width / heads];
    // Rows of the weight are [all Q; all K; all V]: Q and K rotate as one tensor of 2 · heads.
    const qkv = ops.view(this.#qkv.forward(x), [rows, 3 * heads, width / heads]);
    const [qk, v] = ops.splitSizes(qkv, [2 * heads, heads], { dim: 1 });
    const [q, k] = ops.splitSizes(applyRope(qk as Tensor, rope), [heads, heads], { dim: 1 });
    const mixed = varlenAttention(q as Tensor, k as Tensor, ops.view(v as Tensor, shape), layout);
    return this.#proj.forward(mixed);
  }
}

/** x + attention(norm1(x)), then x + mlp(norm2(x)). */
class VisionBlock extends Module {
  readonly #norm1: LayerNorm;
  readonly #norm2: LayerNorm;
  readonly #attention: VisionAttention;
  readonly #mlp: GeluMlp;

  constructor(scope: Scope, config: VisionConfig) {
    super(scope);
    const { hiddenSize, layerNormEps } = config;
    this.#norm1 = new LayerNorm(scope.child('norm1'), hiddenSize, layerNormEps);
    this.#norm2 = new LayerNorm(scope.child('norm2'), hiddenSize, layerNormEps);
    this.#attention = new VisionAttention(scope.child('attn'), hiddenSize, config.numHeads);
    this.#mlp = new GeluMlp(scope.child('mlp'), hiddenSize, config.intermediateSize);
  }

  forward(x: Tensor, context: BlockContext, through: Through): Tensor {
    const attended = through(
      [x],
      (x) => this.#norm1.forward(x),
      (normed, x) => ops.add(x, this.#attention.forward(normed, context)),
    );
    return through(
      [attended],
      (attended) => this.#norm2.forward(attended),
      (normed, attended) => ops.add(attended, this.#mlp.forward(normed, through)),
    );
  }
}

/** The tower without its merger. */
export class RiceVit extends Module {
  readonly #config: VisionConfig;
  readonly #classEmbedding: Tensor;
  readonly #classAngles: Tensor;
  readonly #patchWeight: Tensor;
  readonly #preNorm: LayerNorm;
  readonly #blocks: readonly VisionBlock[];
  readonly #precision: Precision;

  constructor(scope: Scope, config: VisionConfig) {
    super(scope);
    const { hiddenSize, numHeads, inChannels, patchSize } = config;
    this.#config = config;
    this.#precision = scope.precision;
    this.#classEmbedding = scope.parameter('class_embedding', [hiddenSize], 'normal');
    const numAngles = hiddenSize / numHeads / 2;
    this.#classAngles = scope.parameter('class_pos_emb', [1, numAngles], 'normal');
    this.#patchWeight = scope.parameter(
      'patch_embed.proj.weight',
      [hiddenSize, inChannels, patchSize, patchSize],
      'normal',
    );
    this.#preNorm = new LayerNorm(scope.child('pre_layernorm'), hiddenSize, config.preLayerNormEps);
    this.#blocks = Array.from(
      { length: config.depth },
      (_, i) => new VisionBlock(scope.child(`blocks.${i}`), config),
    );
  }

  /**
   * @param pixels [P, channels · patchSize²] in merge-block order.
   * @param grids frames, height, width in patches for each image; every frame is a segment.
   * @returns [P, C] in the order of `pixels`, class tokens removed.
   */
  forward(
    pixels: Tensor,
    grids: Int32Array,
    options: ClassTokenOptions & { readonly recompute?: RecomputeSchedule | undefined } = {},
  ): Tensor {
    const { hiddenSize, numHeads, mergeSize, patchSize, inChannels } = this.#config;
    const { device, dtype } = pixels;
    const headDim = hiddenSize / numHeads;
    const { plan, sourceOfRow, rowOfPatch } = planWithClassTokens(grids, this.#config);
    const gather = fromArray(sourceOfRow, [plan.numRows], { device });
    const patchLength = inChannels * patchSize * patchSize;
    const kernel = ops.view(this.#patchWeight, [hiddenSize, patchLength]);
    const patches = linear(pixels, kernel, null, this.#precision);
    let x = withClassToken(this.#classEmbedding, patches, gather);
    x = this.#preNorm.forward(x);
    const rope = this.#rotary(gridAngles(grids, mergeSize, headDim), gather);
    const layout = attentionLayout(plan.groups, { causal: false, dtype, device });
    for (const [i, block] of this.#blocks.entries()) {
      x = runBlock(
        recomputeOf(options.recompute, i),
        [x, rope.cos, rope.sin],
        ([x, cos, sin], through) => block.forward(x, { rope: { cos, sin }, layout }, through),
      );
    }
    return ops.indexSelect(x, 0, fromArray(rowOfPatch, [rowOfPatch.length], { device }));
  }

  /** Patches have fixed angles, class tokens the learned ones. Never below float32. */
  #rotary(angles: Float32Array, gather: Tensor): RopeTable {
    const learned = this.#classAngles;
    const numAngles = learned.shape[1] ?? 1;
    const dtype = learned.dtype === 'float64' ? 'float64' : 'float32';
    const fixed = fromArray(angles, [angles.length / numAngles, numAngles], {
      dtype,
      device: gather.device,
    });
    const own = learned.dtype === dtype ? learned : ops.toCopy(learned, { dtype });
    return ropeTable(ops.indexSelect(ops.cat([own, fixed]), 0, gather));
  }
}

/** Row r is the class embedding where gather[r] = 0, else patch gather[r] − 1. */
function withClassToken(classEmbedding: Tensor, patches: Tensor, gather: Tensor): Tensor {
  return ops.indexSelect(ops.cat([ops.unsqueeze(classEmbedding, 0), patches]), 0, gather);
}

/** Where class tokens and patches lie. All slicing of class tokens follows from it. */
export interface ClassTokenPlan {
  readonly plan: SegmentPlan;
  /** [rows] 0 for a class token, else 1 + index of the patch. */
  readonly sourceOfRow: Int32Array;
  /** [patches] row of each patch. */
  readonly rowOfPatch: Int32Array;
}

export type ClassTokenOptions = Pick<VisionConfig, 'hfCompatMultiImage'>;

/**
 * Put a class token in front of every frame and lay the segments out, exact groups only.
 *
 * With `hfCompatMultiImage` patch p is read from row p + 1 of all rows, as the released remote code
 * does: it forgets the class tokens of the images before. Right for the first image; image i gets
 * a window that lies i rows too far left, with class tokens in it and its own last i patches lost.
 */
export function planWithClassTokens(
  grids: Int32Array,
  { hfCompatMultiImage = false }: ClassTokenOptions = {},
): ClassTokenPlan {
  const bounds = [0];
  const sources: number[] = [];
  let patch = 0;
  for (let i = 0; i + 2 < grids.length; i += 3) {
    const perFrame = (grids[i + 1] as number) * (grids[i + 2] as number);
    for (let frame = 0; frame < (grids[i] as number); frame++) {
      sources.push(0);
      for (let j = 0; j < perFrame; j++) sources.push(++patch);
      bounds.push(sources.length);
    }
  }
  const plan = planSegments(Int32Array.from(bounds), { groupCost: 0 });
  const sourceOfRow = plan.tokenOfRow.map((token) => sources[token] as number);
  if (hfCompatMultiImage) {
    return { plan, sourceOfRow, rowOfPatch: plan.rowOfToken.subarray(1, 1 + patch) };
  }
  const rowOfPatch = new Int32Array(patch);
  for (const [row, source] of sourceOfRow.entries()) {
    if (source > 0) rowOfPatch[source - 1] = row;
  }
  return { plan, sourceOfRow, rowOfPatch };
}
