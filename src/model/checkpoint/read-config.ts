// A model's sizes out of a config.json, every key that we use checked: ours, Qwen3's, RICE-ViT's.

import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import {
  checkConfig,
  type ExpertsConfig,
  type OneVisionConfig,
  type TextConfig,
  type VisionConfig,
} from '../config.ts';

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

/** The decoder's keys: those of Qwen3Config and Qwen3MoeConfig. */
const textSchema = z
  .looseObject({
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
    rope_theta: z.number().positive().optional(),
    /** Where transformers 5 keeps the angle base. */
    rope_parameters: z
      .looseObject({
        rope_theta: z.number().positive(),
        rope_type: z.literal('default').optional(),
      })
      .optional(),
    rope_scaling: z.null().optional(),
    use_sliding_window: z.literal(false).optional(),
    layer_types: z.array(z.literal('full_attention')).optional(),
    max_position_embeddings: size,
    tie_word_embeddings: z.boolean().optional(),
    initializer_range: z.number().positive().default(0.02),
    num_experts: size.optional(),
    num_experts_per_tok: size.default(8),
    moe_intermediate_size: size.optional(),
    norm_topk_prob: z.boolean().default(false),
    router_aux_loss_coef: z.number().nonnegative().default(0.001),
    decoder_sparse_step: size.default(1),
    mlp_only_layers: z.array(z.int().nonnegative()).default([]),
  })
  .refine((text) => text.rope_theta !== undefined || text.rope_parameters !== undefined, {
    path: ['rope_theta'],
    error: 'expected a number, here or in rope_parameters',
  })
  .refine((text) => text.num_experts === undefined || text.moe_intermediate_size !== undefined, {
    path: ['moe_intermediate_size'],
    error: 'expected a size where num_experts is given',
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
  const {
    vision_config: vision,
    text_config: text,
    ...top
  } = parseConfig(hfSchema, json, where, {
    what: 'a LLaVA-OneVision-1.5 model',
    hint: 'supported: model_type llavaonevision1_5 with a Qwen3 text_config, dense or of experts',
  });
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
    text: textConfigOf(text, top.tie_word_embeddings),
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

const qwenSchema = z.intersection(
  z.looseObject({ model_type: z.enum(['qwen3', 'qwen3_moe']) }),
  textSchema,
);

/** The decoder's sizes from a Qwen3 model's own config.json. @throws OneVisionError 'checkpoint'. */
export function textConfigFromQwen(json: unknown, where: string): TextConfig {
  return textConfigOf(
    parseConfig(qwenSchema, json, where, {
      what: 'a Qwen3 model',
      hint: 'give the folder of a Qwen3 model: model_type qwen3 or qwen3_moe',
    }),
  );
}

const riceSchema = z.looseObject({
  model_type: z.enum(['mlcd', 'mlcd_vision_model', 'rice_vit']),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_channels: size.default(3),
  patch_size: size,
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: eps.default(1e-5),
});

/** The tower's sizes from RICE-ViT's own config.json. @throws OneVisionError 'checkpoint'. */
export function visionConfigFromRice(json: unknown, where: string): VisionConfig {
  const rice = parseConfig(riceSchema, json, where, {
    what: 'a RICE-ViT model',
    hint: 'give the folder of RICE-ViT (class MLCDVisionModel, model_type mlcd_vision_model)',
  });
  return {
    depth: rice.num_hidden_layers,
    hiddenSize: rice.hidden_size,
    numHeads: rice.num_attention_heads,
    intermediateSize: rice.intermediate_size,
    inChannels: rice.num_channels,
    patchSize: rice.patch_size,
    mergeSize: 2,
    layerNormEps: rice.layer_norm_eps,
    preLayerNormEps: rice.layer_norm_eps,
    mergerEps: rice.layer_norm_eps,
  };
}

function parseConfig<T>(
  schema: z.ZodType<T>,
  json: unknown,
  where: string,
  { what, hint }: { readonly what: string; readonly hint: string },
): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new OneVisionError(
    'checkpoint',
    `expected ${what} in ${where}, came:\n${z.prettifyError(parsed.error)}`,
    { hint },
  );
}

function textConfigOf(text: z.infer<typeof textSchema>, tied?: boolean): TextConfig {
  const experts = expertsConfigOf(text);
  return {
    vocabSize: text.vocab_size,
    hiddenSize: text.hidden_size,
    intermediateSize: text.intermediate_size,
    numLayers: text.num_hidden_layers,
    numHeads: text.num_attention_heads,
    numKvHeads: text.num_key_value_heads,
    headDim: text.head_dim ?? text.hidden_size / text.num_attention_heads,
    rmsNormEps: text.rms_norm_eps,
    ropeTheta: text.rope_theta ?? text.rope_parameters?.rope_theta ?? Number.NaN,
    maxPositions: text.max_position_embeddings,
    tieEmbeddings: text.tie_word_embeddings ?? tied ?? false,
    ...(experts === undefined ? {} : { experts }),
  };
}

function expertsConfigOf(text: z.infer<typeof textSchema>): ExpertsConfig | undefined {
  if (text.num_experts === undefined) return undefined;
  const isDense = (layer: number): boolean =>
    text.mlp_only_layers.includes(layer) || (layer + 1) % text.decoder_sparse_step !== 0;
  const layers = Array.from({ length: text.num_hidden_layers }, (_, layer) => layer);
  return {
    numExperts: text.num_experts,
    numActive: text.num_experts_per_tok,
    intermediateSize: text.moe_intermediate_size ?? text.intermediate_size,
    normTopkProb: text.norm_topk_prob,
    auxLossCoef: text.router_aux_loss_coef,
    denseLayers: layers.filter(isDense),
  };
}
