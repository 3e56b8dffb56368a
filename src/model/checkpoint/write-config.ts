// A model's sizes as a config.json, in the released form. Keys that we do not use survive a rewrite.

import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { OneVisionConfig, TextConfig, VisionConfig } from '../config.ts';
import { configFromHuggingFace } from './read-config.ts';

type Json = Readonly<Record<string, unknown>>;
const jsonObject = z.record(z.string(), z.unknown()).catch({});

/**
 * The content of config.json as the released models have it.
 * @param dtype of the saved weights.
 * @param base the config.json that the model was opened with: returned as it is where it says the
 * same, else its other keys are kept.
 */
export function configToHuggingFace(config: OneVisionConfig, dtype: string, base?: unknown): Json {
  const old = jsonObject.parse(base ?? {});
  const ours = released(config, dtype);
  if (base === undefined) return ours;
  if (isDeepStrictEqual(configFromHuggingFace(base), config)) {
    const stated = old['torch_dtype'] ?? old['dtype'];
    if (stated === dtype) return old;
    return withDtype(old, dtype);
  }
  const part = (key: 'text_config' | 'vision_config'): Json => {
    const { rope_parameters: _moved, ...others } = jsonObject.parse(old[key]);
    return { ...others, ...ours[key] };
  };
  return {
    ...old,
    ...ours,
    text_config: part('text_config'),
    vision_config: part('vision_config'),
  };
}

/** Change the type wherever it is stated. */
function withDtype(json: Json, dtype: string): Json {
  const entries = Object.entries(json).map(([key, value]) => {
    if (key === 'torch_dtype' || key === 'dtype') return [key, dtype];
    return [key, key.endsWith('_config') ? withDtype(jsonObject.parse(value), dtype) : value];
  });
  return Object.fromEntries(entries);
}

type Released = Json & { readonly text_config: Json; readonly vision_config: Json };

function released(config: OneVisionConfig, dtype: string): Released {
  const { vision, text, initializerRange: initializer_range } = config;
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
    text_config: { ...releasedText(text), initializer_range, torch_dtype: dtype },
    vision_config: {
      ...releasedVision(vision),
      initializer_range,
      text_hidden_size: text.hiddenSize,
      torch_dtype: dtype,
    },
  };
}

function releasedText(text: TextConfig): Json {
  const { experts } = text;
  return {
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
    layer_types: new Array(text.numLayers).fill('full_attention'),
    ...(experts === undefined
      ? {}
      : {
          num_experts: experts.numExperts,
          num_experts_per_tok: experts.numActive,
          moe_intermediate_size: experts.intermediateSize,
          norm_topk_prob: experts.normTopkProb,
          router_aux_loss_coef: experts.auxLossCoef,
          decoder_sparse_step: 1,
          mlp_only_layers: experts.denseLayers,
        }),
  };
}

function releasedVision(vision: VisionConfig): Json {
  const { layerNormEps } = vision;
  const other = (key: string, value: number): Json =>
    value === layerNormEps ? {} : { [key]: value };
  return {
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
    layer_norm_eps: layerNormEps,
    ...other('pre_layer_norm_eps', vision.preLayerNormEps),
    ...other('merger_layer_norm_eps', vision.mergerEps),
  };
}
