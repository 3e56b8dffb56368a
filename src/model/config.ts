// The sizes of a model, typed. Their form in a config.json is in checkpoint/config-json.ts.

import { OneVisionError } from '../core/errors.ts';

/** RICE-ViT and its merger. */
export interface VisionConfig {
  readonly depth: number;
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly intermediateSize: number;
  readonly inChannels: number;
  readonly patchSize: number;
  /** Patches per side that the merger makes one image token of. */
  readonly mergeSize: number;
  /** Of both norms in a block. */
  readonly layerNormEps: number;
  /** Of the norm after the embedding (1e-4 in the original's trainer, `layerNormEps` as served). */
  readonly preLayerNormEps: number;
  /** Of the merger's norm (1e-6 in the original's trainer, `layerNormEps` as served). */
  readonly mergerEps: number;
  /**
   * Take class tokens out as the released remote code does, wrong from the second image on: for
   * parity with it only, never saved. See `planWithClassTokens`.
   */
  readonly hfCompatMultiImage?: boolean;
}

/** The Qwen3 decoder. */
export interface TextConfig {
  /** Rows of the embedding and of the output head. */
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly maxPositions: number;
  /** The output head is the embedding table. */
  readonly tieEmbeddings: boolean;
  /** A mixture of experts in place of the feed-forward layer; absent in dense decoders. */
  readonly experts?: ExpertsConfig;
}

/** Qwen3's mixture of experts. */
export interface ExpertsConfig {
  readonly numExperts: number;
  /** Experts that a token goes to. */
  readonly numActive: number;
  /** Width inside one expert. */
  readonly intermediateSize: number;
  /** The weights of a token's experts sum to 1. */
  readonly normTopkProb: boolean;
  /** Weight of the load-balancing loss; 0 leaves it out. */
  readonly auxLossCoef: number;
  /** Layers that keep a plain feed-forward layer of `TextConfig.intermediateSize`. */
  readonly denseLayers: readonly number[];
}

export interface OneVisionConfig {
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  readonly imageTokenId: number;
  readonly videoTokenId: number;
  readonly visionStartTokenId: number;
  readonly visionEndTokenId: number;
  /** `<|im_end|>`. */
  readonly eosTokenId: number;
  /** `<|endoftext|>`. */
  readonly padTokenId: number;
  /** Standard deviation of fresh matrices. */
  readonly initializerRange: number;
}

/**
 * Refuse sizes that cannot be: heads that do not divide, angles that do not halve, …
 * @throws OneVisionError 'checkpoint' with the sizes.
 */
export function checkConfig({ vision, text }: OneVisionConfig): void {
  const rules: readonly (readonly [boolean, string])[] = [
    [
      vision.hiddenSize % (4 * vision.numHeads) === 0,
      `vision hidden size ${vision.hiddenSize} a multiple of 4 · ${vision.numHeads} heads`,
    ],
    [
      text.numHeads % text.numKvHeads === 0,
      `${text.numHeads} text heads a multiple of ${text.numKvHeads} key heads`,
    ],
    [text.headDim % 2 === 0, `an even text head size, came ${text.headDim}`],
    [
      (text.experts?.numActive ?? 0) <= (text.experts?.numExperts ?? 0),
      `at most ${text.experts?.numExperts} active experts, came ${text.experts?.numActive}`,
    ],
  ];
  for (const [holds, rule] of rules) {
    if (holds) continue;
    throw new OneVisionError('checkpoint', `expected ${rule} in the model's config`, {
      hint: 'correct the sizes in config.json, or copy it again from the model it belongs to',
    });
  }
}
