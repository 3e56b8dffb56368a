// Named sizes. The released ones carry the numbers of their base models; a checkpoint's own
// config.json always wins over them.

import type { Tokenizer } from '../text/tokenizer.ts';
import type { OneVisionConfig, TextConfig, VisionConfig } from './config.ts';

/** RICE-ViT-L/14 as LLaVA-OneVision-1.5 uses it, norms as served. */
export const RICE_VIT_L: VisionConfig = {
  depth: 24,
  hiddenSize: 1024,
  numHeads: 16,
  intermediateSize: 4096,
  inChannels: 3,
  patchSize: 14,
  mergeSize: 2,
  layerNormEps: 1e-5,
  preLayerNormEps: 1e-5,
  mergerEps: 1e-5,
};

const QWEN3: Pick<TextConfig, 'vocabSize' | 'numKvHeads' | 'headDim' | 'rmsNormEps'> = {
  vocabSize: 151936,
  numKvHeads: 8,
  headDim: 128,
  rmsNormEps: 1e-6,
};

const QWEN_TOKENS: Omit<OneVisionConfig, 'vision' | 'text'> = {
  imageTokenId: 151655,
  videoTokenId: 151656,
  visionStartTokenId: 151652,
  visionEndTokenId: 151653,
  eosTokenId: 151645,
  padTokenId: 151643,
  initializerRange: 0.02,
};

/** RICE-ViT-L with a Qwen3 decoder of these sizes. */
function released(
  text: Omit<TextConfig, keyof typeof QWEN3> & Partial<TextConfig>,
): OneVisionConfig {
  return { ...QWEN_TOKENS, vision: RICE_VIT_L, text: { ...QWEN3, ...text } };
}

/** With Qwen3-1.7B. */
export const ONEVISION_2B: OneVisionConfig = released({
  numLayers: 28,
  hiddenSize: 2048,
  intermediateSize: 6144,
  numHeads: 16,
  ropeTheta: 1e6,
  maxPositions: 40960,
  tieEmbeddings: false,
});

/** LLaVA-OneVision-1.5-4B, released: with Qwen3-4B-Instruct-2507. */
export const ONEVISION_4B: OneVisionConfig = released({
  numLayers: 36,
  hiddenSize: 2560,
  intermediateSize: 9728,
  numHeads: 32,
  ropeTheta: 5e6,
  maxPositions: 262144,
  tieEmbeddings: false,
});

/** LLaVA-OneVision-1.5-8B, released: with Qwen3-8B-Base. */
export const ONEVISION_8B: OneVisionConfig = released({
  numLayers: 36,
  hiddenSize: 4096,
  intermediateSize: 12288,
  numHeads: 32,
  ropeTheta: 1e6,
  maxPositions: 40960,
  tieEmbeddings: false,
});

/** With Qwen3-14B. */
export const ONEVISION_14B: OneVisionConfig = released({
  numLayers: 40,
  hiddenSize: 5120,
  intermediateSize: 17408,
  numHeads: 40,
  ropeTheta: 1e6,
  maxPositions: 40960,
  tieEmbeddings: false,
});

/** With Qwen3-32B. */
export const ONEVISION_32B: OneVisionConfig = released({
  numLayers: 64,
  hiddenSize: 5120,
  intermediateSize: 25600,
  numHeads: 64,
  ropeTheta: 1e6,
  maxPositions: 40960,
  tieEmbeddings: false,
});

/** With Qwen3-30B-A3B: 128 experts, 8 for each token. */
export const ONEVISION_30B_A3B: OneVisionConfig = released({
  numLayers: 48,
  hiddenSize: 2048,
  intermediateSize: 6144,
  numHeads: 32,
  numKvHeads: 4,
  ropeTheta: 1e6,
  maxPositions: 40960,
  tieEmbeddings: false,
  experts: {
    numExperts: 128,
    numActive: 8,
    intermediateSize: 768,
    normTopkProb: true,
    auxLossCoef: 0.001,
    denseLayers: [],
  },
});

/** Named sizes, as a recipe writes them. */
export const SIZE_NAMES = ['2b', '4b', '8b', '14b', '32b', '30b-a3b'] as const;
export type SizeName = (typeof SIZE_NAMES)[number];

export const SIZES: Readonly<Record<SizeName, OneVisionConfig>> = {
  '2b': ONEVISION_2B,
  '4b': ONEVISION_4B,
  '8b': ONEVISION_8B,
  '14b': ONEVISION_14B,
  '32b': ONEVISION_32B,
  '30b-a3b': ONEVISION_30B_A3B,
};

/** What the demo's tokenizer decides about its model. */
export interface VocabularyIds {
  readonly vocabSize: number;
  readonly imageTokenId: number;
  readonly videoTokenId: number;
  readonly visionStartTokenId: number;
  readonly visionEndTokenId: number;
  readonly eosTokenId: number;
  readonly padTokenId: number;
}

/** Those of a tokenizer. */
export function vocabularyOf({ vocabSize, ids }: Tokenizer): VocabularyIds {
  return {
    vocabSize,
    imageTokenId: ids.imagePad,
    videoTokenId: ids.videoPad,
    visionStartTokenId: ids.visionStart,
    visionEndTokenId: ids.visionEnd,
    eosTokenId: ids.imEnd,
    padTokenId: ids.endOfText,
  };
}

/** Sizes that a tiny model may change. */
export interface TinySizes {
  readonly width?: number;
  readonly headDim?: number;
  readonly visionLayers?: number;
  readonly textLayers?: number;
}

/**
 * The demo's model: the same architecture, 2–6 M parameters, tied output head. For 84 × 84
 * pixels: 36 patches, 9 image tokens.
 */
export function tinyConfig(ids: VocabularyIds, sizes: TinySizes = {}): OneVisionConfig {
  const { width = 192, headDim = 64, visionLayers = 4, textLayers = 4 } = sizes;
  const numHeads = width / headDim;
  const { vocabSize, ...tokens } = ids;
  return {
    ...tokens,
    initializerRange: 0.02,
    vision: {
      ...RICE_VIT_L,
      depth: visionLayers,
      hiddenSize: width,
      numHeads,
      intermediateSize: 4 * width,
    },
    text: {
      vocabSize,
      hiddenSize: width,
      intermediateSize: Math.ceil((width * 8) / 3 / 8) * 8,
      numLayers: textLayers,
      numHeads,
      numKvHeads: numHeads,
      headDim,
      rmsNormEps: 1e-6,
      ropeTheta: 1e4,
      maxPositions: 1024,
      tieEmbeddings: true,
    },
  };
}
