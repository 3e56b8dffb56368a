// The sizes of a model, typed, and their form in a Hugging Face config.json. No weights here.

import * as z from 'zod';
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

const size = z.int().positive();
const eps = z.number().positive();

const visionSchema = z.looseObject({
  depth: size,
  embed_dim: size.optional(),
  hidden_size: size,
  num_heads: size,
  intermediate_size: size,
  in_channels: size.default(3),
  patch_size: size,
  spatial_merge_size: size.default(2),
  temporal_patch_size: z.literal(1).default(1),
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: eps.default(1e-5),
  pre_layer_norm_eps: eps.optional(),
  merger_layer_norm_eps: eps.optional(),
});

const textSchema = z.looseObject({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size,
  head_dim: size.optional(),
  hidden_act: z.literal('silu').default('silu'),
  attention_bias: z.literal(false).default(false),
  rms_norm_eps: eps.default(1e-6),
  rope_theta: z.number().positive(),
  max_position_embeddings: size,
  tie_word_embeddings: z.boolean().optional(),
  initializer_range: z.number().positive().default(0.02),
});

/** What we read of a config.json. Keys that we do not use are let through. */
const hfSchema = z.looseObject({
  model_type: z.literal('llavaonevision1_5'),
  vision_config: visionSchema,
  text_config: textSchema,
  image_token_id: z.int().default(151655),
  video_token_id: z.int().default(151656),
  vision_start_token_id: z.int().default(151652),
  vision_end_token_id: z.int().default(151653),
  eos_token_id: z.int().default(151645),
  pad_token_id: z.int().default(151643),
  tie_word_embeddings: z.boolean().optional(),
});

/**
 * The typed sizes from the content of a config.json.
 * @throws OneVisionError 'checkpoint' naming the keys that are missing or not supported.
 */
export function configFromHuggingFace(json: unknown, where = 'config.json'): OneVisionConfig {
  const parsed = hfSchema.safeParse(json);
  if (!parsed.success) {
    throw new OneVisionError(
      'checkpoint',
      `expected a LLaVA-OneVision-1.5 model in ${where}, came:\n${z.prettifyError(parsed.error)}`,
      { hint: 'supported: model_type llavaonevision1_5 with a dense Qwen3 text_config' },
    );
  }
  const { vision_config: vision, text_config: text, ...top } = parsed.data;
  const config: OneVisionConfig = {
    vision: {
      depth: vision.depth,
      hiddenSize: vision.embed_dim ?? vision.hidden_size,
      numHeads: vision.num_heads,
      intermediateSize: vision.intermediate_size,
      inChannels: vision.in_channels,
      patchSize: vision.patch_size,
      mergeSize: vision.spatial_merge_size,
      layerNormEps: vision.layer_norm_eps,
      preLayerNormEps: vision.pre_layer_norm_eps ?? vision.layer_norm_eps,
      mergerEps: vision.merger_layer_norm_eps ?? vision.layer_norm_eps,
    },
    text: {
      vocabSize: text.vocab_size,
      hiddenSize: text.hidden_size,
      intermediateSize: text.intermediate_size,
      numLayers: text.num_hidden_layers,
      numHeads: text.num_attention_heads,
      numKvHeads: text.num_key_value_heads,
      headDim: text.head_dim ?? text.hidden_size / text.num_attention_heads,
      rmsNormEps: text.rms_norm_eps,
      ropeTheta: text.rope_theta,
      maxPositions: text.max_position_embeddings,
      tieEmbeddings: text.tie_word_embeddings ?? top.tie_word_embeddings ?? false,
    },
    imageTokenId: top.image_token_id,
    videoTokenId: top.video_token_id,
    visionStartTokenId: top.vision_start_token_id,
    visionEndTokenId: top.vision_end_token_id,
    eosTokenId: top.eos_token_id,
    padTokenId: top.pad_token_id,
    initializerRange: text.initializer_range,
  };
  checkConfig(config);
  return config;
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
  ];
  for (const [holds, rule] of rules) {
    if (!holds) throw new OneVisionError('checkpoint', `expected ${rule} in the model's config`);
  }
}

/** The content of config.json as the released models have it; `dtype` of the saved weights. */
export function configToHuggingFace(config: OneVisionConfig, dtype: string): object {
  const { vision, text } = config;
  const { initializerRange: initializer_range } = config;
  return {
    architectures: ['LLaVAOneVision1_5_ForConditionalGeneration'],
    model_type: 'llavaonevision1_5',
    torch_dtype: dtype,
    image_token_id: config.imageTokenId,
    video_token_id: config.videoTokenId,
    vision_start_token_id: config.visionStartTokenId,
    vision_end_token_id: config.visionEndTokenId,
    eos_token_id: config.eosTokenId,
    pad_token_id: config.padTokenId,
    vocab_size: text.vocabSize,
    tie_word_embeddings: text.tieEmbeddings,
    text_config: {
      model_type: 'LLaVAOneVision1_5_text',
      vocab_size: text.vocabSize,
      hidden_size: text.hiddenSize,
      intermediate_size: text.intermediateSize,
      num_hidden_layers: text.numLayers,
      num_attention_heads: text.numHeads,
      num_key_value_heads: text.numKvHeads,
      head_dim: text.headDim,
      hidden_act: 'silu',
      attention_bias: false,
      attention_dropout: 0,
      rms_norm_eps: text.rmsNormEps,
      rope_theta: text.ropeTheta,
      rope_scaling: null,
      max_position_embeddings: text.maxPositions,
      tie_word_embeddings: text.tieEmbeddings,
      initializer_range,
      layer_types: new Array(text.numLayers).fill('full_attention'),
      torch_dtype: dtype,
    },
    vision_config: {
      model_type: 'rice_vit',
      depth: vision.depth,
      embed_dim: vision.hiddenSize,
      hidden_size: vision.hiddenSize,
      hidden_act: 'gelu',
      intermediate_size: vision.intermediateSize,
      num_heads: vision.numHeads,
      in_channels: vision.inChannels,
      patch_size: vision.patchSize,
      spatial_merge_size: vision.mergeSize,
      temporal_patch_size: 1,
      initializer_range,
      layer_norm_eps: vision.layerNormEps,
      ...(vision.preLayerNormEps === vision.layerNormEps
        ? {}
        : { pre_layer_norm_eps: vision.preLayerNormEps }),
      ...(vision.mergerEps === vision.layerNormEps
        ? {}
        : { merger_layer_norm_eps: vision.mergerEps }),
      text_hidden_size: text.hiddenSize,
      torch_dtype: dtype,
    },
  };
}
