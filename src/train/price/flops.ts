// FLOPs of training from first principles: 2 for a weight and row, attention over real segments, causal
// in the decoder, the tower counted. Norms, activations, the optimizer and padding count nothing.

import type { OneVisionConfig, TextConfig, VisionConfig } from '../../model/config.ts';
import { recomputeOf } from '../../nn/lean/recompute.ts';
import type { TrainConfig } from '../config.ts';
import type { Work } from './work.ts';

/** Settings that decide what backward has to do. */
export type LearnSettings = Pick<TrainConfig, 'trainable' | 'lora' | 'recompute'>;

/** FLOPs of a forward by piece of the model. */
export interface ForwardFlops {
  readonly patchEmbed: number;
  readonly visionLinear: number;
  readonly visionAttention: number;
  /** First and second layer. */
  readonly merger: readonly [number, number];
  readonly textLinear: number;
  readonly textAttention: number;
  readonly head: number;
}

/** FLOPs of a training step. */
export interface TrainFlops {
  /** Forward and backward without anything done twice: what MFU counts. */
  readonly model: number;
  /** With what recomputation does again: what HFU counts. */
  readonly hardware: number;
  /** Of `model`, the part of the tower and its merger. */
  readonly vision: number;
}

/** Σ inputs · outputs over the linear layers of a decoder layer that a token meets. */
function textLayerWeights(text: TextConfig, layer: number): number {
  const { hiddenSize, headDim, numHeads, numKvHeads, intermediateSize, experts } = text;
  const attention = 2 * hiddenSize * headDim * (numHeads + numKvHeads);
  if (experts === undefined || experts.denseLayers.includes(layer)) {
    return attention + 3 * hiddenSize * intermediateSize;
  }
  const { numExperts, numActive } = experts;
  return (
    attention + hiddenSize * numExperts + 3 * numActive * hiddenSize * experts.intermediateSize
  );
}

function visionBlockWeights({ hiddenSize, intermediateSize }: VisionConfig): number {
  return 4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize;
}

/** Σ over the decoder's layers. */
function textWeights(text: TextConfig): number {
  let total = 0;
  for (let layer = 0; layer < text.numLayers; layer += 1) total += textLayerWeights(text, layer);
  return total;
}

/** A forward: causal attention sees n (n + 1) / 2 pairs of a segment, the tower all of a frame. */
export function forwardFlops({ vision, text }: OneVisionConfig, work: Work): ForwardFlops {
  const rows = work.patches + work.frames;
  const pairs = work.patchSquares + 2 * work.patches + work.frames; // Σ (p + 1)²
  const merged = vision.hiddenSize * vision.mergeSize ** 2;
  const imageTokens = work.patches / vision.mergeSize ** 2;
  const patchLength = vision.inChannels * vision.patchSize ** 2;
  const { numLayers, numHeads, headDim, hiddenSize, vocabSize } = text;
  return {
    patchEmbed: 2 * work.patches * patchLength * vision.hiddenSize,
    visionLinear: 2 * rows * vision.depth * visionBlockWeights(vision),
    visionAttention: 4 * pairs * vision.depth * vision.hiddenSize,
    merger: [2 * imageTokens * merged ** 2, 2 * imageTokens * merged * hiddenSize],
    textLinear: 2 * work.tokens * textWeights(text),
    textAttention: 2 * (work.tokenSquares + work.tokens) * numLayers * numHeads * headDim,
    head: 2 * work.targets * hiddenSize * vocabSize,
  };
}

/**
 * Forward and backward. Behind a linear layer backward makes the gradient of its input where
 * something below learns, and that of its weight where it learns itself; attention has no weights
 * and costs twice its forward. Adapters add their own small products.
 */
export function trainFlops(
  config: OneVisionConfig,
  work: Work,
  { trainable, lora, recompute }: LearnSettings,
): TrainFlops {
  const forward = forwardFlops(config, work);
  const has = (part: 'vision' | 'merger' | 'language'): number => Number(trainable.includes(part));
  const adapted = (part: 'vision' | 'merger' | 'language'): boolean =>
    lora?.parts.includes(part) ?? false;
  /** Whether the weights themselves learn. */
  const own = (part: 'vision' | 'merger' | 'language'): number => (adapted(part) ? 0 : has(part));
  const tower = has('vision');
  const behindMerger = Math.max(tower, has('merger'));
  const decoder = Math.max(behindMerger, has('language'));

  const adapters = adapterFlops(config, work, lora?.rank ?? 0);
  const [low, high] = forward.merger;
  const visionModel =
    forward.patchEmbed * (1 + own('vision')) +
    forward.visionLinear * (1 + tower + own('vision')) +
    forward.visionAttention * (1 + 2 * tower) +
    low * (1 + Math.max(tower, own('merger')) + own('merger')) +
    high * (1 + behindMerger + own('merger')) +
    (adapted('vision') ? 3 * adapters.vision : 0) +
    (adapted('merger') ? 3 * adapters.merger : 0);
  const textModel =
    forward.textLinear * (1 + decoder + own('language')) +
    forward.textAttention * (1 + 2 * decoder) +
    forward.head * (1 + decoder + own('language')) +
    (adapted('language') ? 3 * adapters.language : 0);

  const visionAgain =
    forward.visionLinear + forward.visionAttention + (adapted('vision') ? adapters.vision : 0);
  const textAgain =
    forward.textLinear + forward.textAttention + (adapted('language') ? adapters.language : 0);
  const { vision, text } = config;
  const model = visionModel + textModel;
  const again =
    tower * visionAgain * fullShare(recompute.vision, vision.depth) +
    decoder * textAgain * fullShare(recompute.language, text.numLayers, text);
  return { model, hardware: model + again, vision: visionModel };
}

/** Share of the blocks that backward computes again as a whole; layers of experts never are. */
function fullShare(
  schedule: LearnSettings['recompute']['language'],
  numBlocks: number,
  text?: TextConfig,
): number {
  let count = 0;
  for (let block = 0; block < numBlocks; block += 1) {
    const { experts } = text ?? {};
    const isSparse = experts !== undefined && !experts.denseLayers.includes(block);
    if (!isSparse && recomputeOf(schedule, block) === 'full') count += 1;
  }
  return numBlocks === 0 ? 0 : count / numBlocks;
}

/** Forward of adapters of a rank on all linear layers of each part; experts have none. */
function adapterFlops(
  { vision, text }: OneVisionConfig,
  work: Work,
  rank: number,
): Readonly<Record<'vision' | 'merger' | 'language', number>> {
  const { hiddenSize, numHeads, numKvHeads, headDim, numLayers, intermediateSize } = text;
  const width = vision.hiddenSize;
  const merged = width * vision.mergeSize ** 2;
  const [queries, keys] = [numHeads * headDim, numKvHeads * headDim];
  /** Σ (inputs + outputs) over the linear layers. */
  const attention = 2 * (hiddenSize + queries) + 2 * (hiddenSize + keys);
  const dense = text.experts === undefined ? numLayers : text.experts.denseLayers.length;
  const language =
    numLayers * attention +
    dense * 3 * (hiddenSize + intermediateSize) +
    (numLayers - dense) * (hiddenSize + (text.experts?.numExperts ?? 0));
  const block = 4 * width + 2 * width + 2 * (width + vision.intermediateSize);
  const imageTokens = work.patches / vision.mergeSize ** 2;
  return {
    vision: 2 * rank * (work.patches + work.frames) * vision.depth * block,
    merger: 2 * rank * imageTokens * (3 * merged + hiddenSize),
    language: 2 * rank * work.tokens * language,
  };
}
