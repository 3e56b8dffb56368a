// The whole model: tower → merger → rows written over the image tokens → decoder → logits.
// Shapes: T tokens of a batch, R rows of its layout, N supervised positions.

import { OneVisionError } from '../core/errors.ts';
import {
  type AttentionLayout,
  attentionLayout,
  takesBounds,
  varlenAttention,
} from '../nn/attention.ts';
import { freshParameters } from '../nn/init.ts';
import { linearCrossEntropy, rowsPerChunk } from '../nn/lean/linear-loss.ts';
import type { RecomputeSchedule } from '../nn/lean/recompute.ts';
import { Linear } from '../nn/linear.ts';
import { crossEntropyEach } from '../nn/loss.ts';
import { Module, type ParameterSource, type Precision, Scope } from '../nn/module.ts';
import { lineAngles, type RopeTable, ropeTable } from '../nn/rope.ts';
import { planSegments } from '../nn/segments.ts';
import { type DType, fromArray, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type Batch, checkBatch, targetPositions } from './batch.ts';
import { checkConfig, type OneVisionConfig } from './config.ts';
import { BalanceLoss } from './experts.ts';
import { Merger } from './merger.ts';
import { type DecoderContext, Qwen3 } from './qwen3.ts';
import { RiceVit } from './rice-vit.ts';

/** One more group of segments costs about as much as this many rows of padding. */
const GROUP_COST_ROWS = 16;

/** The loss of a batch, not yet divided: `sum / weight` is its mean. */
export interface BatchLoss {
  /**
   * Σ wᵢ · −log p(targetᵢ), a scalar that `backward` takes. With experts it holds the
   * load-balancing loss too, times its coefficient and `weight`.
   */
  readonly lossSum: Tensor;
  /** [N] −log p(targetᵢ), unweighted, in order of position. */
  readonly losses: Tensor;
  readonly numTargets: number;
  /** Σ wᵢ; equals `numTargets` where the batch has no weights. */
  readonly weight: number;
  /** The load-balancing loss alone, without its coefficient; null in dense models. */
  readonly balance: Tensor | null;
}

/** What backward computes again, by part. */
export interface RecomputeParts {
  readonly vision?: RecomputeSchedule | undefined;
  readonly language?: RecomputeSchedule | undefined;
}

export interface LossOptions {
  /** Default: nothing is computed again. */
  readonly recompute?: RecomputeParts | undefined;
  /** Rows of logits held at a time. Default: 256 MiB of them. */
  readonly chunkRows?: number | undefined;
  /** Runs a layer of the decoder, with what its parameters need before and after. */
  readonly around?: DecoderContext['around'];
}

/** Where the tokens of a batch lie while layers run. */
export interface RowLayout {
  /** [T] */
  readonly rowOfToken: Int32Array;
  readonly numRows: number;
  readonly rope: RopeTable;
  readonly attention: AttentionLayout;
}

/** LLaVA-OneVision-1.5. Reads batches; returns tensors that belong to the caller's `tidy`. */
export class OneVision extends Module {
  readonly config: OneVisionConfig;
  readonly decoder: Qwen3;
  readonly #tower: RiceVit;
  readonly #merger: Merger;
  readonly #head: Linear | null;
  readonly #precision: Precision;

  /** @throws OneVisionError 'checkpoint' for sizes that cannot be. */
  constructor(config: OneVisionConfig, source: ParameterSource) {
    checkConfig(config);
    const scope = new Scope(source);
    super(scope);
    this.config = config;
    this.#precision = scope.precision;
    const { vision, text } = config;
    this.#tower = new RiceVit(scope.child('visual'), vision);
    this.#merger = new Merger(scope.child('visual.merger'), vision, text.hiddenSize);
    this.decoder = new Qwen3(scope.child('model'), text);
    this.#head = text.tieEmbeddings
      ? null
      : new Linear(scope.child('lm_head'), text.hiddenSize, text.vocabSize, { bias: false });
  }

  get dtype(): DType {
    return this.decoder.dtype;
  }

  get device(): string {
    return this.decoder.embedding.weight.device;
  }

  /** Hidden states after the last norm: [T, hidden] in the order of the batch. */
  features(batch: Batch): Tensor {
    const layout = this.layoutRows(batch);
    return this.#featuresAt(batch, layout, layout.rowOfToken);
  }

  /** Hidden states [n, hidden] → logits [n, vocab]. */
  logits(hidden: Tensor): Tensor {
    const head = this.#head;
    if (head === null) return this.decoder.embedding.project(hidden);
    return this.multiplyIn(null, () => head.forward(hidden));
  }

  /**
   * Runs `body` with all linear layers but the output head multiplying in `matmul`; null is the
   * type of the parameters. `backward` belongs inside: what it computes again must be the same.
   * bfloat16 is about twice as fast where the processor has it.
   */
  multiplyIn<T>(matmul: DType | null, body: () => T): T {
    const before = this.#precision.matmul;
    this.#precision.matmul = matmul;
    try {
      return body();
    } finally {
      this.#precision.matmul = before;
    }
  }

  /**
   * Hidden states after the last norm at chosen tokens only: [tokens, hidden].
   * @param tokens indices into the batch.
   */
  featuresAt(batch: Batch, tokens: Int32Array, recompute: RecomputeParts = {}): Tensor {
    const layout = this.layoutRows(batch);
    return this.#featuresAt(batch, layout, rowsOf(tokens, layout), { recompute });
  }

  /**
   * Cross entropy at supervised positions; logits are computed nowhere else, and never more of
   * them at a time than `chunkRows` rows.
   * @throws OneVisionError 'data' where the arrays of the batch disagree.
   */
  loss(batch: Batch, options: LossOptions = {}): BatchLoss {
    const positions = targetPositions(batch.targets);
    const numTargets = positions.length;
    const { device } = this;
    const { experts } = this.config.text;
    const layout = this.layoutRows(batch);
    const isBalanced = experts !== undefined && experts.auxLossCoef > 0;
    const routers = isBalanced ? new BalanceLoss(experts, layout.rowOfToken, device) : null;
    const { recompute = {}, around } = options;
    const hidden = this.#featuresAt(batch, layout, rowsOf(positions, layout), {
      recompute,
      routers,
      around,
    });
    const balance = routers?.finish() ?? null;
    const ids = BigInt64Array.from(positions, (i) => BigInt(batch.targets[i] as number));
    const targets = fromArray(ids, [numTargets], { device });
    const chosen = Float32Array.from(positions, (i) => batch.lossWeights?.[i] ?? 1);
    const weight = chosen.reduce((sum, value) => sum + value, 0);
    const { chunkRows = rowsPerChunk(this.config.text.vocabSize) } = options;
    const weights = batch.lossWeights === undefined ? undefined : chosen;
    const { sum, losses } = this.#crossEntropy(hidden, targets, weights, chunkRows);
    const scale = (experts?.auxLossCoef ?? 0) * weight;
    const lossSum = balance === null ? sum : ops.add(sum, balance, { alpha: scale });
    return { lossSum, losses, numTargets, weight, balance };
  }

  /** Plainly, or by chunks where there are more rows than `chunkRows`. */
  #crossEntropy(
    hidden: Tensor,
    targets: Tensor,
    chosen: Float32Array | undefined,
    chunkRows: number,
  ): { readonly sum: Tensor; readonly losses: Tensor } {
    const numTargets = targets.numel;
    const { device } = this;
    if (numTargets <= chunkRows) {
      const losses = crossEntropyEach(this.logits(hidden), targets);
      if (chosen === undefined) return { sum: ops.sum(losses), losses };
      const weights = fromArray(chosen, [numTargets], { dtype: losses.dtype, device });
      return { sum: ops.sum(ops.mul(losses, weights)), losses };
    }
    const dtype = this.dtype === 'float64' ? 'float64' : 'float32';
    const weights =
      chosen === undefined
        ? ops.ones([numTargets], { dtype, device })
        : fromArray(chosen, [numTargets], { dtype, device });
    const weight = this.#head?.weight ?? this.decoder.embedding.weight;
    const { lossSum, losses } = linearCrossEntropy({ hidden, weight, targets, weights }, chunkRows);
    return { sum: lossSum, losses };
  }

  /**
   * Plan a batch: rows, rotary angles, groups. Shared by all layers of one forward.
   * @param options.groupCost padding rows that one more group is worth; 0 pads nothing.
   */
  layoutRows(
    { cuSeqlens, positions }: Batch,
    { groupCost = GROUP_COST_ROWS }: { readonly groupCost?: number } = {},
  ): RowLayout {
    const { device } = this;
    const { headDim, ropeTheta } = this.config.text;
    const { dtype } = this;
    const exact = takesBounds({ dtype, device });
    const plan = planSegments(cuSeqlens, { groupCost: exact ? 0 : groupCost });
    const rowPositions = plan.tokenOfRow.map((token) => positions[token] ?? 0);
    return {
      rowOfToken: plan.rowOfToken,
      numRows: plan.numRows,
      rope: textRope(rowPositions, { headDim, ropeTheta, dtype, device }),
      attention: attentionLayout(plan.groups, { causal: true, dtype, device }),
    };
  }

  /** What the decoder reads in the place of image tokens, [image tokens, hidden], in their order. */
  imageRows(
    { pixels, grids }: Pick<Batch, 'pixels' | 'grids'>,
    recompute?: RecomputeSchedule,
  ): Tensor {
    const { inChannels, patchSize } = this.config.vision;
    const patchLength = inChannels * patchSize ** 2;
    const patches = fromArray(pixels, [pixels.length / patchLength, patchLength], {
      dtype: this.dtype,
      device: this.device,
    });
    return this.#merger.forward(this.#tower.forward(patches, grids, { recompute }));
  }

  /**
   * Token embeddings [R, hidden] in the layout's rows, image and video tokens overwritten in order
   * by the merger's output. Padding rows hold token 0.
   * @throws OneVisionError 'data' where image tokens and images do not match.
   */
  embed(batch: Batch, layout: RowLayout, recompute?: RecomputeSchedule): Tensor {
    const { device, config } = this;
    const { vision } = config;
    checkBatch(batch, vision.inChannels * vision.patchSize ** 2);
    const { rowOfToken, numRows } = layout;
    const ids = new Int32Array(numRows);
    const imageRows: number[] = [];
    for (const [token, row] of rowOfToken.entries()) {
      const id = batch.inputIds[token] as number;
      ids[row] = id;
      if (id === config.imageTokenId || id === config.videoTokenId) imageRows.push(row);
    }
    const embedded = this.decoder.embed(fromArray(ids, [numRows], { device }));
    const patchesPerToken = vision.mergeSize ** 2;
    const patchLength = vision.inChannels * vision.patchSize ** 2;
    const numPatches = batch.pixels.length / patchLength;
    checkImageTokens(imageRows.length, numPatches / patchesPerToken, batch.grids.length / 3);
    if (imageRows.length === 0) return embedded;
    const rows = this.imageRows(batch, recompute);
    const index = BigInt64Array.from(imageRows, BigInt);
    return ops.indexCopy(embedded, 0, fromArray(index, [index.length], { device }), rows);
  }

  #featuresAt(
    batch: Batch,
    layout: RowLayout,
    rows: Int32Array,
    options: Pick<LossOptions, 'around'> & {
      readonly recompute?: RecomputeParts;
      readonly routers?: BalanceLoss | null;
    } = {},
  ): Tensor {
    const { recompute = {}, routers = null } = options;
    const context: DecoderContext = {
      rope: layout.rope,
      recompute: recompute.language,
      around: options.around,
      attend: (_layer, q, k, v) => varlenAttention(q, k, v, layout.attention),
      ...(routers === null ? {} : { onRouting: (routing) => routers.add(routing) }),
    };
    const hidden = this.decoder.forward(this.embed(batch, layout, recompute.vision), context);
    const index = fromArray(rows, [rows.length], { device: this.device });
    return this.decoder.finish(ops.indexSelect(hidden, 0, index));
  }
}

function rowsOf(tokens: Int32Array, { rowOfToken }: RowLayout): Int32Array {
  return tokens.map((token) => rowOfToken[token] ?? -1);
}

/** A model with fresh weights; the same seed gives the same weights. */
export function createOneVision(
  config: OneVisionConfig,
  options: { readonly seed: number; readonly dtype?: DType; readonly device?: string },
): OneVision {
  return new OneVision(config, freshParameters({ ...options, std: config.initializerRange }));
}

/** Rotary table of the decoder for row positions; never below float32. */
export function textRope(
  positions: Int32Array,
  options: {
    readonly headDim: number;
    readonly ropeTheta: number;
    readonly dtype: DType;
    readonly device: string;
  },
): RopeTable {
  const { headDim, ropeTheta, device } = options;
  const angles = lineAngles(positions, headDim, ropeTheta);
  const dtype = options.dtype === 'float64' ? 'float64' : 'float32';
  return ropeTable(fromArray(angles, [positions.length, headDim / 2], { dtype, device }));
}

function checkImageTokens(numTokens: number, numRows: number, numImages: number): void {
  if (numTokens === numRows) return;
  throw new OneVisionError(
    'data',
    `expected ${numRows} image tokens for the ${numImages} images of the batch, came ${numTokens}`,
    { hint: 'encode text and images with the same processor: countImageTokens gives the number' },
  );
}
