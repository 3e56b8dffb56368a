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
import { type Attend, type Spread, WHOLE } from '../nn/lean/spread.ts';
import { Linear } from '../nn/linear.ts';
import { crossEntropyEach } from '../nn/loss.ts';
import { Module, type ParameterSource, type Precision, Scope } from '../nn/module.ts';
import { lineAngles, type RopeTable, ropeTable } from '../nn/rope.ts';
import { planSegments } from '../nn/segments.ts';
import { type DType, fromArray, isAccelerator, type Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type Batch, checkBatch, patchesOf, pickImages, targetPositions } from './batch.ts';
import { checkConfig, type ExpertsConfig, type OneVisionConfig } from './config.ts';
import { BalanceLoss } from './experts.ts';
import { Merger } from './merger.ts';
import { type DecoderContext, Qwen3 } from './qwen3.ts';
import { RiceVit } from './rice-vit.ts';

/** On a device, one more group of segments costs about as much as this many rows of padding. */
const GROUP_COST_ROWS = 16;
/** On the processor, as a row of padding in a layer of this many weights: about 0.15 ms. */
const GROUP_COST_WEIGHTS = 1.5e6;

/** The loss of a batch, not yet divided: `sum / weight` is its mean. */
export interface BatchLoss {
  /**
   * Σ wᵢ · −log p(targetᵢ) over own rows, a scalar that `backward` takes. With experts it holds the
   * load-balancing loss too, times its coefficient and `weight`.
   */
  readonly lossSum: Tensor;
  /** [N] −log p(targetᵢ), unweighted, in order of position. */
  readonly losses: Tensor;
  readonly numTargets: number;
  /** Σ wᵢ; equals `numTargets` where the batch has no weights. */
  readonly weight: number;
  /** The own part of the load-balancing loss, without its coefficient; null in dense models. */
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
  /** Where the rows lie. Every process makes the same calls; sums over them are the batch's. Default: here. */
  readonly spread?: Spread | undefined;
}

interface EmbedOptions extends Pick<LossOptions, 'spread'> {
  /** Of the tower. */
  readonly recompute?: RecomputeSchedule | undefined;
}

/** Where the tokens of a batch lie while layers run. */
export interface RowLayout {
  /** [T] among the rows of all processes. */
  readonly rowOfToken: Int32Array;
  /** Those of all processes. */
  readonly numRows: number;
  /** Rows `begin` to `end` are computed here. */
  readonly own: readonly [begin: number, end: number];
  /** Angles of own rows. */
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
    const { device } = this;
    const { experts } = this.config.text;
    const { recompute = {}, around, spread = WHOLE } = options;
    const layout = this.layoutRows(batch, { spread });
    const all = targetPositions(batch.targets);
    const places = ownOf(all, layout);
    const positions = places.map((i) => all[i] as number);
    const isBalanced = experts !== undefined && experts.auxLossCoef > 0;
    const routers = isBalanced ? this.#balanceLoss(experts, layout, spread) : null;
    const hidden = this.#featuresAt(batch, layout, rowsOf(positions, layout), {
      recompute,
      routers,
      around,
      spread,
    });
    const balance = routers?.finish() ?? null;
    const ids = BigInt64Array.from(positions, (i) => BigInt(batch.targets[i] as number));
    const targets = fromArray(ids, [ids.length], { device });
    const weightsOf = (tokens: Int32Array): Float32Array =>
      Float32Array.from(tokens, (i) => batch.lossWeights?.[i] ?? 1);
    const weight = weightsOf(all).reduce((sum, value) => sum + value, 0);
    const { chunkRows = rowsPerChunk(this.config.text.vocabSize) } = options;
    const weights = batch.lossWeights === undefined ? undefined : weightsOf(positions);
    const { sum, losses } = this.#crossEntropy(hidden, targets, weights, chunkRows);
    const scale = (experts?.auxLossCoef ?? 0) * weight;
    const lossSum = balance === null ? sum : ops.add(sum, balance, { alpha: scale });
    const numTargets = all.length;
    return {
      lossSum,
      losses: spread.collect(losses, places, numTargets),
      numTargets,
      weight,
      balance,
    };
  }

  #balanceLoss(experts: ExpertsConfig, layout: RowLayout, spread: Spread): BalanceLoss {
    const tokens = Int32Array.from(layout.rowOfToken, (_, token) => token);
    const rows = rowsOf(ownOf(tokens, layout), layout);
    return new BalanceLoss(experts, rows, this.device, { numTokens: tokens.length, spread });
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
    options: { readonly groupCost?: number; readonly spread?: Spread } = {},
  ): RowLayout {
    const { groupCost = this.#groupCost, spread = WHOLE } = options;
    const { device } = this;
    const { headDim, ropeTheta } = this.config.text;
    const { dtype } = this;
    const exact = takesBounds({ dtype, device });
    const plan = planSegments(cuSeqlens, { groupCost: exact ? 0 : groupCost });
    const own = spread.own(plan.numRows);
    const ownTokens = plan.tokenOfRow.subarray(...own);
    const rowPositions = ownTokens.map((token) => positions[token] ?? 0);
    return {
      rowOfToken: plan.rowOfToken,
      numRows: plan.numRows,
      own,
      rope: textRope(rowPositions, { headDim, ropeTheta, dtype, device }),
      attention: attentionLayout(plan.groups, { causal: true, dtype, device }),
    };
  }

  /** Rows of padding that one more group of segments is worth. */
  get #groupCost(): number {
    if (isAccelerator(this.device)) return GROUP_COST_ROWS;
    const { hiddenSize, intermediateSize, headDim, numHeads, numKvHeads } = this.config.text;
    const weights = 2 * headDim * (numHeads + numKvHeads) + 3 * intermediateSize;
    return GROUP_COST_WEIGHTS / (hiddenSize * weights);
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
   * Token embeddings of own rows, [rows, hidden], image and video tokens overwritten in order by the
   * merger's output. Padding rows hold token 0.
   * @throws OneVisionError 'data' where image tokens and images do not match.
   */
  embed(batch: Batch, layout: RowLayout, { recompute, spread = WHOLE }: EmbedOptions = {}): Tensor {
    const { device, config } = this;
    const { vision } = config;
    checkBatch(batch, vision.inChannels * vision.patchSize ** 2);
    const { rowOfToken, numRows } = layout;
    const [begin, end] = layout.own;
    const ids = new Int32Array(end - begin);
    const rows: number[] = [];
    for (const [token, row] of rowOfToken.entries()) {
      const id = batch.inputIds[token] as number;
      if (row >= begin && row < end) ids[row - begin] = id;
      if (id === config.imageTokenId || id === config.videoTokenId) rows.push(row);
    }
    const embedded = this.decoder.embed(fromArray(ids, [ids.length], { device }));
    const patches = patchesOf(batch.grids);
    const tokens = patches.map((count) => count / vision.mergeSize ** 2);
    checkImageTokens(rows.length, tokens);
    if (rows.length === 0) return embedded;
    const made = spread.images({ patches, tokens, rows, numRows }, (images) =>
      images.length === 0
        ? ops.detach(ops.narrow(embedded, 0, 0, 0))
        : this.imageRows(pickImages(batch, images), recompute),
    );
    const ownRows = rows.filter((row) => row >= begin && row < end);
    const index = BigInt64Array.from(ownRows, (row) => BigInt(row - begin));
    return ops.indexCopy(embedded, 0, fromArray(index, [index.length], { device }), made);
  }

  #featuresAt(
    batch: Batch,
    layout: RowLayout,
    rows: Int32Array,
    options: Pick<LossOptions, 'around' | 'spread'> & {
      readonly recompute?: RecomputeParts;
      readonly routers?: BalanceLoss | null;
    } = {},
  ): Tensor {
    const { recompute = {}, routers = null, spread = WHOLE } = options;
    const { numRows, attention } = layout;
    const attend: Attend = (q, k, v) => varlenAttention(q, k, v, attention);
    const context: DecoderContext = {
      rope: layout.rope,
      read: fromArray(rows, [rows.length], { device: this.device }),
      recompute: recompute.language,
      around: options.around,
      attend: (_layer, q, k, v) => spread.attend([q, k, v], numRows, attend),
      ...(routers === null ? {} : { onRouting: (routing) => routers.add(routing) }),
    };
    const embedded = this.embed(batch, layout, { recompute: recompute.vision, spread });
    return this.decoder.forward(embedded, context);
  }
}

/** Rows of tokens among the own ones. */
function rowsOf(tokens: Int32Array, { rowOfToken, own: [begin] }: RowLayout): Int32Array {
  return tokens.map((token) => (rowOfToken[token] as number) - begin);
}

/** Which of some tokens have own rows: their numbers in the list. */
function ownOf(tokens: Int32Array, { rowOfToken, own: [begin, end] }: RowLayout): Int32Array {
  const numbers = tokens.map((_, i) => i);
  return numbers.filter((i) => {
    const row = rowOfToken[tokens[i] as number] as number;
    return row >= begin && row < end;
  });
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

function checkImageTokens(came: number, tokens: readonly number[]): void {
  const expected = tokens.reduce((sum, count) => sum + count, 0);
  if (came === expected) return;
  throw new OneVisionError(
    'data',
    `expected ${expected} image tokens for the ${tokens.length} images of the batch, came ${came}`,
    { hint: 'encode text and images with the same processor: countImageTokens gives the number' },
  );
}
