// Peak memory of a training step, from sizes: what lies there all the time, and a walk through forward and
// backward that counts what is alive. Bytes; nothing is run.

import type { OneVisionConfig } from '../../model/config.ts';
import { rowsPerChunk } from '../../nn/lean/linear-loss.ts';
import { recomputeOf } from '../../nn/lean/recompute.ts';
import type { Part, TrainConfig } from '../config.ts';
import { type BlockBytes, textBlock, visionBlock } from './block-bytes.ts';
import { type ModelSize, modelSize } from './parameters.ts';
import type { Work } from './work.ts';

export type MemorySettings = Pick<
  TrainConfig,
  | 'trainable'
  | 'lora'
  | 'recompute'
  | 'precision'
  | 'offload'
  | 'packsPerStep'
  | 'microBatchPacks'
  | 'emaDecay'
>;

export interface MemoryOptions {
  /** Whether layers run as on the processor, in more operators. Default: as on a GPU. */
  readonly onProcessor?: boolean;
  /** GPUs that share float32 copies and optimizer state. Default 1. */
  readonly shards?: number;
  /** They share weights and gradients too, and gather two blocks at a time. */
  readonly shareWeights?: boolean;
}

export interface MemoryPlan {
  readonly weights: number;
  /** float32 copies, optimizer state, moving average: on the device. */
  readonly state: number;
  /** In the memory of the processor, with offload. */
  readonly offloaded: number;
  /** Gradients, activations and logits at their fullest together. */
  readonly working: number;
  readonly peak: number;
}

/** A stretch of forward and backward. */
interface Piece extends BlockBytes {
  /** Alive to the end of the step. */
  readonly held: number;
  /** Parameters whose gradients its backward makes. */
  readonly learned: number;
}

/**
 * The peak of a step whose micro-batches hold `work`, with AdamW.
 */
export function planMemory(
  config: OneVisionConfig,
  settings: MemorySettings,
  work: Work,
  options: MemoryOptions = {},
): MemoryPlan {
  const { shards = 1, shareWeights = false } = options;
  const size = modelSize(config, settings);
  const { total, learned } = size.all;
  const a = settings.precision === 'float32' ? 4 : 2;
  const whole = shareWeights ? shards : 1;
  const hasCopies = settings.precision === 'bfloat16' || settings.offload;
  const accumulates = settings.packsPerStep > settings.microBatchPacks;

  const gathered = shareWeights && shards > 1 ? 2 * a * largestPiece(size) : 0;
  const weights = (a * (total + (lora(settings) ? learned : 0))) / whole + gathered;
  const copies = hasCopies ? 4 * learned : 0;
  const average = settings.emaDecay === undefined ? 0 : 4 * learned;
  const state = (8 * learned + copies + average) / shards;
  const sums = hasCopies ? (4 * learned) / whole : 0;
  const own = (a * learned) / whole;

  // Gradients of earlier micro-batches: as sums in float32, or where the new ones are added.
  const resting = accumulates ? (hasCopies ? (settings.offload ? 0 : sums) : own) : 0;
  const adds = accumulates && !hasCopies;
  const walked =
    resting + walk(pieces(config, settings, work, size, options), adds ? 0 : a / whole);
  const collected = settings.offload ? own : hasCopies ? sums + (accumulates ? own : 0) : own;
  const rounding = settings.precision === 'bfloat16-stochastic' ? 19 * largestPiece(size) : 0;
  const working = Math.max(walked, collected, own + rounding);
  const onDevice = settings.offload ? 0 : state;
  return {
    weights,
    state: onDevice,
    offloaded: settings.offload ? state + sums : 0,
    working,
    peak: weights + onDevice + working,
  };
}

function lora(settings: MemorySettings): boolean {
  return settings.lora !== undefined;
}

/** Forward through the pieces, then back. @param gradient bytes of a gradient that is new */
function walk(all: readonly Piece[], gradient: number): number {
  let live = 0;
  let peak = 0;
  for (const { kept, held, forward } of all) {
    peak = Math.max(peak, live + forward);
    live += kept + held;
    peak = Math.max(peak, live);
  }
  for (const { kept, backward, learned } of all.toReversed()) {
    peak = Math.max(peak, live + backward);
    live += learned * gradient - kept;
    peak = Math.max(peak, live);
  }
  return peak;
}

function pieces(
  config: OneVisionConfig,
  settings: MemorySettings,
  work: Work,
  size: ModelSize,
  { onProcessor = false }: MemoryOptions,
): Piece[] {
  const { vision, text } = config;
  const { recompute, trainable } = settings;
  const a = settings.precision === 'float32' ? 4 : 2;
  const has = (part: Part): boolean => trainable.includes(part);
  const towerLearns = has('vision');
  const mergerLearns = towerLearns || has('merger');
  const decoderLearns = mergerLearns || has('language');
  const [c, h] = [vision.hiddenSize, text.hiddenSize];
  const rows = work.patches + work.frames;
  const patchLength = vision.inChannels * vision.patchSize ** 2;
  const merged = c * vision.mergeSize ** 2;
  const imageTokens = work.patches / vision.mergeSize ** 2;
  const block = (bytes: BlockBytes, count: number, width: number, learned: number): Piece => ({
    kept: bytes.kept * count,
    forward: bytes.forward * count,
    backward: bytes.backward * count + (bytes.kept === 0 ? a * learned : 0),
    held: a * width * count, // its output
    learned,
  });

  const angles = 20 * (c / vision.numHeads);
  const stem: Piece = {
    held: work.patches * (patchLength + 2 * c) * a + rows * (2 * c * a + angles),
    kept: 0,
    forward: work.patches * patchLength * 4,
    backward: towerLearns ? rows * c * a : 0,
    learned: size.stem.learned,
  };
  const tower = Array.from({ length: vision.depth }, (_, i) => {
    const mode = recomputeOf(recompute.vision, i);
    const bytes = visionBlock(vision, { mode, a, learns: towerLearns, onProcessor });
    return block(bytes, rows, c, size.visionBlock.learned);
  });
  const merger: Piece = {
    held: (2 * work.patches * c + imageTokens * (2 * merged + h)) * a,
    kept: 0,
    forward: 0,
    backward: mergerLearns ? 2 * imageTokens * merged * a : 0,
    learned: size.merger.learned,
  };
  const embedding: Piece = {
    held: work.tokens * (2 * h * a + 16 * text.headDim),
    kept: 0,
    forward: 0,
    backward: decoderLearns ? work.tokens * h * a : 0,
    learned: size.embedding.learned,
  };
  const layers = size.layers.map(({ learned }, i) => {
    const wanted = recomputeOf(recompute.language, i);
    const isSparse = text.experts !== undefined && !text.experts.denseLayers.includes(i);
    const mode = wanted === 'full' && isSparse ? 'selective' : wanted;
    // The last layer feeds forward only the rows that are read.
    const fed = i + 1 < size.layers.length || isSparse ? 1 : work.targets / work.tokens;
    const bytes = textBlock(text, i, { mode, a, learns: decoderLearns, onProcessor, fed });
    return block(bytes, work.tokens, fed * h, learned);
  });
  const headLearns = size.head.learned > 0;
  return [stem, ...tower, merger, embedding, ...layers, headPiece(config, work, a, headLearns)];
}

/** Output head and loss: logits of a chunk of rows at a time, gradients made in the forward. */
function headPiece({ text }: OneVisionConfig, work: Work, a: 2 | 4, learns: boolean): Piece {
  const { vocabSize, hiddenSize } = text;
  const matrix = vocabSize * hiddenSize;
  const chunk = Math.min(work.targets, rowsPerChunk(vocabSize)) * vocabSize;
  const isChunked = work.targets > rowsPerChunk(vocabSize);
  const widths = a === 2 ? 2 + 4 + 4 : 4 + 4; // logits, widened, their log-softmax
  const hidden = 4 * work.targets * hiddenSize * a;
  const learned = learns ? (text.tieEmbeddings ? 0 : matrix) : 0;
  if (!isChunked) {
    const kept = widths * chunk;
    return { held: hidden + kept, kept: 0, forward: 0, backward: 8 * chunk + a * matrix, learned };
  }
  const sum = learns ? 4 * matrix : 0;
  const product = a === 2 ? 2 * chunk + (learns ? 2 * matrix : 0) : 0;
  return {
    held: hidden,
    kept: sum + work.targets * hiddenSize * a,
    forward: sum + widths * chunk + product,
    backward: sum + (a === 2 && learns ? 2 * matrix : 0),
    learned,
  };
}

/** Parameters of the largest piece. */
function largestPiece({ layers, embedding, head, merger }: ModelSize): number {
  return Math.max(...[embedding, head, merger, ...layers].map(({ total }) => total));
}
