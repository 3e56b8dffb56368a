// The names and row orders of the original's Megatron checkpoints beside the released ones, as one
// table for a config. Both directions of a conversion read it.

import type { OneVisionConfig, TextConfig } from '../config.ts';

/** One Megatron tensor and the released tensors whose rows it holds. */
export interface MegatronEntry {
  readonly megatron: string;
  readonly released: readonly string[];
  /** Row r of the Megatron tensor is row rows[r] of the released ones, one below another. */
  readonly rows?: Int32Array;
  /** Megatron may have padded it with more rows, for its vocabulary. */
  readonly padded?: boolean;
}

/** The whole model. @param config decides layers, heads and experts. */
export function megatronMap(config: OneVisionConfig): MegatronEntry[] {
  const { vision, text } = config;
  const one = (megatron: string, released: string): MegatronEntry => {
    return { megatron, released: [released] };
  };
  const both = (megatron: string, released: string): MegatronEntry[] =>
    ['weight', 'bias'].map((kind) => one(`${megatron}.${kind}`, `${released}.${kind}`));
  const entries = [
    one('vision_model.patch_embed.proj.weight', 'visual.patch_embed.proj.weight'),
    one('vision_model.class_embedding', 'visual.class_embedding'),
    one('vision_model.class_pos_emb', 'visual.class_pos_emb'),
    ...both('vision_model.pre_layernorm', 'visual.pre_layernorm'),
    ...both('adapter.layernorm', 'visual.merger.ln_q'),
    ...both('adapter.linear_fc1', 'visual.merger.mlp.0'),
    ...both('adapter.linear_fc2', 'visual.merger.mlp.2'),
  ];
  const perHead = groupedRows(vision.numHeads, 1, vision.hiddenSize / vision.numHeads);
  for (let i = 0; i < vision.depth; i++) {
    const at = `vision_model.decoder.layers.${i}`;
    const block = `visual.blocks.${i}`;
    const qkv = both(`${at}.self_attention.linear_qkv`, `${block}.attn.qkv`);
    entries.push(
      ...fusedNorm(`${at}.self_attention.linear_qkv`, `${block}.norm1`),
      ...qkv.map((entry) => ({ ...entry, rows: perHead })),
      ...both(`${at}.self_attention.linear_proj`, `${block}.attn.proj`),
      ...fusedNorm(`${at}.mlp.linear_fc1`, `${block}.norm2`),
      ...both(`${at}.mlp.linear_fc1`, `${block}.mlp.fc1`),
      ...both(`${at}.mlp.linear_fc2`, `${block}.mlp.fc2`),
    );
  }
  return [...entries, ...decoderMap(text)];
}

function decoderMap(text: TextConfig): MegatronEntry[] {
  const at = 'language_model';
  const padded = true;
  const entries: MegatronEntry[] = [
    {
      megatron: `${at}.embedding.word_embeddings.weight`,
      released: ['model.embed_tokens.weight'],
      padded,
    },
    { megatron: `${at}.decoder.final_layernorm.weight`, released: ['model.norm.weight'] },
  ];
  for (let i = 0; i < text.numLayers; i++) entries.push(...decoderLayer(text, i));
  if (!text.tieEmbeddings) {
    entries.push({
      megatron: `${at}.output_layer.weight`,
      released: ['lm_head.weight'],
      padded,
    });
  }
  return entries;
}

function decoderLayer(text: TextConfig, layer: number): MegatronEntry[] {
  const at = `language_model.decoder.layers.${layer}`;
  const from = `model.layers.${layer}`;
  const entry = (megatron: string, ...released: readonly string[]): MegatronEntry => {
    return {
      megatron: `${at}.${megatron}`,
      released: released.map((name) => `${from}.${name}.weight`),
    };
  };
  const mlp = (megatron: string, released: string): MegatronEntry[] => [
    entry(`${megatron}.linear_fc1.weight`, `${released}.gate_proj`, `${released}.up_proj`),
    entry(`${megatron}.linear_fc2.weight`, `${released}.down_proj`),
  ];
  const { experts, numKvHeads, numHeads, headDim } = text;
  const isDense = experts === undefined || experts.denseLayers.includes(layer);
  const feedForward = isDense
    ? [entry('mlp.linear_fc1.layer_norm_weight', 'post_attention_layernorm'), ...mlp('mlp', 'mlp')]
    : [
        entry('pre_mlp_layernorm.weight', 'post_attention_layernorm'),
        entry('mlp.router.weight', 'mlp.gate'),
        ...Array.from({ length: experts.numExperts }, (_, e) =>
          mlp(`mlp.experts.local_experts.${e}`, `mlp.experts.${e}`),
        ).flat(),
      ];
  const qkv = ['q', 'k', 'v'].map((part) => `self_attn.${part}_proj`);
  return [
    entry('self_attention.linear_qkv.layer_norm_weight', 'input_layernorm'),
    {
      ...entry('self_attention.linear_qkv.weight', ...qkv),
      rows: groupedRows(numKvHeads, numHeads / numKvHeads, headDim),
    },
    entry('self_attention.linear_proj.weight', 'self_attn.o_proj'),
    entry('self_attention.q_layernorm.weight', 'self_attn.q_norm'),
    entry('self_attention.k_layernorm.weight', 'self_attn.k_norm'),
    ...feedForward,
  ];
}

/** Megatron keeps a norm inside the linear layer that follows it. */
function fusedNorm(linear: string, norm: string): MegatronEntry[] {
  return ['weight', 'bias'].map((kind) => {
    return { megatron: `${linear}.layer_norm_${kind}`, released: [`${norm}.${kind}`] };
  });
}

/**
 * Rows of [all Q; all K; all V] in the order of groups: for each key head g its queries
 * q_g1 … q_gm, then k_g, then v_g, each of `dim` rows.
 */
export function groupedRows(numGroups: number, perGroup: number, dim: number): Int32Array {
  const numQueries = numGroups * perGroup * dim;
  const out: number[] = [];
  const put = (first: number, count: number): void => {
    for (let i = 0; i < count; i++) out.push(first + i);
  };
  for (let group = 0; group < numGroups; group++) {
    put(group * perGroup * dim, perGroup * dim);
    put(numQueries + group * dim, dim);
    put(numQueries + (numGroups + group) * dim, dim);
  }
  return Int32Array.from(out);
}

/** The empty states that Megatron's layers look for beside their weights. */
export function extraStates({ vision, text }: OneVisionConfig): string[] {
  const linears = ['self_attention.linear_qkv', 'self_attention.linear_proj'];
  const mlps = ['mlp.linear_fc1', 'mlp.linear_fc2'];
  const layers = (prefix: string, count: number, dense: (layer: number) => boolean): string[] =>
    Array.from({ length: count }, (_, i) =>
      [...linears, ...(dense(i) ? mlps : [])].map(
        (name) => `${prefix}.decoder.layers.${i}.${name}`,
      ),
    ).flat();
  const { experts } = text;
  return [
    'adapter.linear_fc1',
    'adapter.linear_fc2',
    ...layers('vision_model', vision.depth, () => true),
    ...layers('language_model', text.numLayers, (i) => experts?.denseLayers.includes(i) ?? true),
  ].map((name) => `${name}._extra_state`);
}
