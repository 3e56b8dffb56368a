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

/** LLaVA-OneVision-1.5-4B: RICE-ViT-L and Qwen3-4B-Instruct-2507. */
export const ONEVISION_4B: OneVisionConfig = {
  ...QWEN_TOKENS,
  vision: RICE_VIT_L,
  text: {
    ...QWEN3,
    numLayers: 36,
    hiddenSize: 2560,
    intermediateSize: 9728,
    numHeads: 32,
    ropeTheta: 5e6,
    maxPositions: 262144,
    tieEmbeddings: false,
  },
};

/** LLaVA-OneVision-1.5-8B: RICE-ViT-L and Qwen3-8B-Base. */
export const ONEVISION_8B: OneVisionConfig = {
  ...QWEN_TOKENS,
  vision: RICE_VIT_L,
  text: {
    ...QWEN3,
    numLayers: 36,
    hiddenSize: 4096,
    intermediateSize: 12288,
    numHeads: 32,
    ropeTheta: 1e6,
    maxPositions: 40960,
    tieEmbeddings: false,
  },
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
