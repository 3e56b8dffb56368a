// RICE-ViT and Qwen3 folders of very small sizes, as their makers name and split them.

import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { writeWeights } from '../../src/model/checkpoint/shards.ts';
import { weightsOf } from '../../src/model/checkpoint.ts';
import type { Tensor } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import { saveSafetensors } from '../../src/tensor/safetensors.ts';
import { createTokenizer, type Tokenizer } from '../../src/text/tokenizer.ts';
import { trainTokenizer } from '../../src/text/train-bpe.ts';
import { smallModel } from './model.ts';

/** A folder with a config.json. */
export function writeFolder(root: string, name: string, config: object): string {
  const folder = path.join(root, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

export function smallTokenizer(): Tokenizer {
  return createTokenizer(trainTokenizer(['a red apple'], 270));
}

export const RICE: Readonly<Record<string, unknown>> = {
  model_type: 'mlcd_vision_model',
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  patch_size: 2,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-5,
};
const QWEN = {
  model_type: 'qwen3',
  vocab_size: 40,
  hidden_size: 24,
  intermediate_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  rope_theta: 1e4,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
};

/** Weights of a model as RICE-ViT and Qwen3 name them, the tower's q, k and v apart. */
export async function writeSources(
  root: string,
  name: string,
): Promise<{ vision: string; decoder: string }> {
  using model = smallModel();
  const weights = model.namedParameters();
  const of = (key: string): Tensor => weights.get(key) as Tensor;
  const vision: Record<string, Tensor> = {
    'vision_model.embeddings.class_embedding': of('visual.class_embedding'),
    'vision_model.embeddings.patch_embedding.weight': of('visual.patch_embed.proj.weight'),
    'vision_model.class_pos_emb': of('visual.class_pos_emb'),
    'vision_model.vision_rotary_embedding.inv_freq': ops.ones([4]),
  };
  for (const kind of ['weight', 'bias']) {
    vision[`vision_model.pre_layrnorm.${kind}`] = of(`visual.pre_layernorm.${kind}`);
    vision[`vision_model.post_layernorm.${kind}`] = ops.ones([16]);
    for (const i of [0, 1]) {
      const to = `vision_model.encoder.layers.${i}`;
      const at = `visual.blocks.${i}`;
      const qkv = ops.chunk(of(`${at}.attn.qkv.${kind}`), 3);
      for (const [p, part] of ['q', 'k', 'v'].entries()) {
        vision[`${to}.self_attn.${part}_proj.${kind}`] = qkv[p] as Tensor;
      }
      vision[`${to}.self_attn.out_proj.${kind}`] = of(`${at}.attn.proj.${kind}`);
      vision[`${to}.layer_norm1.${kind}`] = of(`${at}.norm1.${kind}`);
      vision[`${to}.layer_norm2.${kind}`] = of(`${at}.norm2.${kind}`);
      vision[`${to}.mlp.fc1.${kind}`] = of(`${at}.mlp.fc1.${kind}`);
      vision[`${to}.mlp.fc2.${kind}`] = of(`${at}.mlp.fc2.${kind}`);
    }
  }
  const folders = {
    vision: writeFolder(root, `${name}-rice`, RICE),
    decoder: writeFolder(root, `${name}-qwen`, QWEN),
  };
  await saveSafetensors(path.join(folders.vision, 'model.safetensors'), vision);
  const decoder = [...weightsOf(model)].filter(([key]) => key.startsWith('model.'));
  await writeWeights(folders.decoder, new Map(decoder), 20_000);
  await smallTokenizer().save(folders.decoder);
  return folders;
}
