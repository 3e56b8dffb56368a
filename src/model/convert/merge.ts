// The model before any training: RICE-ViT's tower, a fresh merger (or a trained projector), and a
// Qwen3 decoder, under the released names. Tensors are read one by one, as they are written.

import * as path from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import { freshParameters } from '../../nn/init.ts';
import { Scope } from '../../nn/module.ts';
import type { DType } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { type LazyTensor, lazyFrom, lazyOf } from '../../tensor/storage/stored-tensor.ts';
import { compareWeights, mostCommonType } from '../checkpoint/compare.ts';
import { textConfigFromQwen, visionConfigFromRice } from '../checkpoint/read-config.ts';
import { openWeights, type StoredWeights } from '../checkpoint/weights.ts';
import { shapesOf } from '../checkpoint.ts';
import type { OneVisionConfig } from '../config.ts';
import { Merger } from '../merger.ts';
import type { VocabularyIds } from '../presets.ts';

type Tensors = Map<string, LazyTensor>;

export interface MergeSources {
  /** Folder of RICE-ViT (MLCDVisionModel). */
  readonly vision: string;
  /** Folder of a Qwen3 model, dense or of experts. */
  readonly decoder: string;
  /** Folder with a trained merger: `model.mm_projector.*` or `visual.merger.*`. Default: fresh. */
  readonly projector?: string | undefined;
}

export interface MergeOptions {
  /** Of the fresh merger. */
  readonly seed: number;
  /** Of the control tokens; their vocabulary size is the decoder's. */
  readonly ids: Omit<VocabularyIds, 'vocabSize'>;
  /** Default: the decoder's. */
  readonly dtype?: DType | undefined;
}

/** A model that exists as a list of tensors to be read. */
export interface MergedModel {
  readonly config: OneVisionConfig;
  readonly dtype: DType;
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Put the parts together. Nothing is read until `tensors` are.
 * @throws OneVisionError 'checkpoint' where a folder is of another kind or not whole.
 */
export function mergeModels(sources: MergeSources, options: MergeOptions): MergedModel {
  const config = mergedConfig(sources, options);
  const open: StoredWeights[] = [];
  const close = (): void => {
    for (const weights of open) weights.close();
  };
  const from = (folder: string): StoredWeights => {
    const weights = openWeights(folder);
    open.push(weights);
    return weights;
  };
  try {
    const decoder = from(sources.decoder);
    const dtype = options.dtype ?? mostCommonType(decoder.tensors) ?? 'bfloat16';
    const merger =
      sources.projector === undefined
        ? freshMerger(config, options.seed)
        : storedMerger(from(sources.projector).tensors);
    const all: Tensors = new Map([
      ...towerOf(from(sources.vision).tensors),
      ...merger,
      ...decoderOf(decoder.tensors),
    ]);
    const tensors = new Map([...all].map(([name, tensor]) => [name, withType(tensor, dtype)]));
    compareWeights(
      { folder: `${sources.vision} and ${sources.decoder}`, tensors },
      shapesOf(config),
    );
    return { config, dtype, tensors, close, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

function mergedConfig({ vision, decoder }: MergeSources, { ids }: MergeOptions): OneVisionConfig {
  const read = (folder: string): [unknown, string] => {
    const file = path.join(folder, 'config.json');
    return [readJson(file, z.unknown(), 'checkpoint'), file];
  };
  return {
    ...ids,
    initializerRange: 0.02,
    vision: visionConfigFromRice(...read(vision)),
    // The model has an output head of its own, also where Qwen3 shares it with the embedding.
    text: { ...textConfigFromQwen(...read(decoder)), tieEmbeddings: false },
  };
}

const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\.class_embedding$/, 'visual.class_embedding'],
  [/^class_pos_emb$/, 'visual.class_pos_emb'],
  [/^embeddings\.patch_embedding\.weight$/, 'visual.patch_embed.proj.weight'],
  [/^pre_layrnorm\.(weight|bias)$/, 'visual.pre_layernorm.$1'],
  [/^encoder\.layers\.(\d+)\.layer_norm([12])\.(weight|bias)$/, 'visual.blocks.$1.norm$2.$3'],
  [/^encoder\.layers\.(\d+)\.self_attn\.out_proj\.(\w+)$/, 'visual.blocks.$1.attn.proj.$2'],
  [/^encoder\.layers\.(\d+)\.mlp\.(fc[12])\.(weight|bias)$/, 'visual.blocks.$1.mlp.$2.$3'],
];
const PROJECTION = /^encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)$/;
const DROPPED = /^post_layernorm\.|\.inv_freq$/;

/** RICE-ViT's tensors: q, k and v one below another, the last norm left out. */
function towerOf(stored: ReadonlyMap<string, LazyTensor>): Tensors {
  const out: Tensors = new Map();
  const fused = new Map<string, Partial<Record<string, LazyTensor>>>();
  for (const [full, tensor] of stored) {
    const name = full.replace(/^vision_model\./, '');
    if (DROPPED.test(name)) continue;
    const [, layer, part, kind] = PROJECTION.exec(name) ?? [];
    if (part !== undefined) {
      const target = `visual.blocks.${layer}.attn.qkv.${kind}`;
      fused.set(target, { ...fused.get(target), [part]: tensor });
      continue;
    }
    const rule = PLAIN.find(([pattern]) => pattern.test(name));
    // A name without a rule stays as it is and is reported as unexpected.
    out.set(rule === undefined ? full : name.replace(...rule), tensor);
  }
  for (const [name, { q, k, v }] of fused) {
    if (q === undefined || k === undefined || v === undefined) continue;
    const parts = [q, k, v];
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const described = { dtype: q.dtype, shape: [rows, ...q.shape.slice(1)] };
    out.set(
      name,
      lazyFrom(described, () => ops.cat(parts.map((part) => part.read()))),
    );
  }
  return out;
}

function decoderOf(stored: ReadonlyMap<string, LazyTensor>): Tensors {
  const out = new Map(stored);
  const embedding = stored.get('model.embed_tokens.weight');
  if (!out.has('lm_head.weight') && embedding !== undefined) out.set('lm_head.weight', embedding);
  return out;
}

function freshMerger({ vision, text, initializerRange }: OneVisionConfig, seed: number): Tensors {
  const source = freshParameters({ seed, std: initializerRange });
  const scope = new Scope(source).child('visual.merger');
  const merger = new Merger(scope, vision, text.hiddenSize);
  return new Map([...merger.namedParameters()].map(([name, tensor]) => [name, lazyOf(tensor)]));
}

function storedMerger(stored: ReadonlyMap<string, LazyTensor>): Tensors {
  const out: Tensors = new Map();
  for (const [name, tensor] of stored) {
    const [, rest] = /^(?:model\.mm_projector|visual\.merger)\.(.+)$/.exec(name) ?? [];
    if (rest !== undefined) out.set(`visual.merger.${rest}`, tensor);
  }
  if (out.size > 0) return out;
  throw new OneVisionError('checkpoint', 'expected a projector in the folder given, came none', {
    hint: 'its tensors are named model.mm_projector.* or visual.merger.*',
  });
}

function withType(tensor: LazyTensor, dtype: DType): LazyTensor {
  if (tensor.dtype === dtype) return tensor;
  const { shape } = tensor;
  return { dtype, shape, read: (placement) => tensor.read({ dtype, ...placement }) };
}
