// The released sizes as files: sparse shards whose headers are whole and whose data is a hole, so
// that 4B and 8B open in full without their bytes.
import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { formatHeader } from '../../tensor/storage/safetensors-header.ts';
import type { LazyTensor } from '../../tensor/storage/stored-tensor.ts';
import { loadModel, shapesOf, weightsOf } from '../checkpoint.ts';
import type { OneVisionConfig } from '../config.ts';
import * as presets from '../presets.ts';
import { planShards, sizeBytes } from './shards.ts';
import { configToHuggingFace } from './write-config.ts';

const root = mkdtempSync(path.join(tmpdir(), 'onevision-full-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Sizes {
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly layers: number;
}

/** The released list, written out from the layout of the published files. All bfloat16. */
function releasedList({ hidden, ffn, heads, layers }: Sizes): Map<string, readonly number[]> {
  const list = new Map<string, readonly number[]>();
  const both = (name: string, shape: readonly number[]): void => {
    list.set(`${name}.weight`, shape);
    list.set(`${name}.bias`, shape.slice(0, 1));
  };
  list.set('visual.class_embedding', [1024]);
  list.set('visual.class_pos_emb', [1, 32]);
  list.set('visual.patch_embed.proj.weight', [1024, 3, 14, 14]);
  both('visual.pre_layernorm', [1024]);
  for (let i = 0; i < 24; i++) {
    both(`visual.blocks.${i}.norm1`, [1024]);
    both(`visual.blocks.${i}.norm2`, [1024]);
    both(`visual.blocks.${i}.attn.qkv`, [3072, 1024]);
    both(`visual.blocks.${i}.attn.proj`, [1024, 1024]);
    both(`visual.blocks.${i}.mlp.fc1`, [4096, 1024]);
    both(`visual.blocks.${i}.mlp.fc2`, [1024, 4096]);
  }
  both('visual.merger.ln_q', [1024]);
  both('visual.merger.mlp.0', [4096, 4096]);
  both('visual.merger.mlp.2', [hidden, 4096]);
  list.set('model.embed_tokens.weight', [151936, hidden]);
  list.set('model.norm.weight', [hidden]);
  list.set('lm_head.weight', [151936, hidden]);
  for (let i = 0; i < layers; i++) {
    const at = `model.layers.${i}`;
    list.set(`${at}.input_layernorm.weight`, [hidden]);
    list.set(`${at}.post_attention_layernorm.weight`, [hidden]);
    list.set(`${at}.self_attn.q_proj.weight`, [heads * 128, hidden]);
    list.set(`${at}.self_attn.k_proj.weight`, [8 * 128, hidden]);
    list.set(`${at}.self_attn.v_proj.weight`, [8 * 128, hidden]);
    list.set(`${at}.self_attn.o_proj.weight`, [hidden, heads * 128]);
    list.set(`${at}.self_attn.q_norm.weight`, [128]);
    list.set(`${at}.self_attn.k_norm.weight`, [128]);
    list.set(`${at}.mlp.gate_proj.weight`, [ffn, hidden]);
    list.set(`${at}.mlp.up_proj.weight`, [ffn, hidden]);
    list.set(`${at}.mlp.down_proj.weight`, [hidden, ffn]);
  }
  return list;
}

/** A folder with these tensors in shards of 5 GB, all holes. */
function writeHollow(
  name: string,
  config: OneVisionConfig,
  list: ReadonlyMap<string, readonly number[]>,
): { folder: string; numShards: number; bytes: number } {
  const folder = mkdtempSync(path.join(root, name));
  writeFileSync(
    path.join(folder, 'config.json'),
    JSON.stringify(configToHuggingFace(config, 'bfloat16')),
  );
  const tensors = new Map<string, LazyTensor>(
    [...list].map(([key, shape]) => [key, { dtype: 'bfloat16', shape, read: () => assert.fail() }]),
  );
  const shards = planShards(tensors, 5e9);
  const weight_map: Record<string, string> = {};
  let bytes = 0;
  for (const [i, shard] of shards.entries()) {
    const file = `model-0000${i + 1}-of-0000${shards.length}.safetensors`;
    const { header } = formatHeader(Object.fromEntries(shard), { format: 'pt' });
    const handle = openSync(path.join(folder, file), 'w');
    writeSync(handle, header);
    closeSync(handle);
    const data = [...shard.values()].reduce((sum, tensor) => sum + sizeBytes(tensor), 0);
    truncateSync(path.join(folder, file), header.byteLength + data);
    for (const key of shard.keys()) weight_map[key] = file;
    bytes += data;
  }
  const index = JSON.stringify({ metadata: { total_size: bytes }, weight_map });
  writeFileSync(path.join(folder, 'model.safetensors.index.json'), index);
  return { folder, numShards: shards.length, bytes };
}

const RELEASED = [
  [
    '4B',
    presets.ONEVISION_4B,
    { hidden: 2560, ffn: 9728, heads: 32, layers: 36 },
    4_741_610_528,
    2,
  ],
  [
    '8B',
    presets.ONEVISION_8B,
    { hidden: 4096, ffn: 12288, heads: 32, layers: 36 },
    8_527_214_624,
    4,
  ],
] as const;

for (const [name, config, sizes, parameters, shards] of RELEASED) {
  test(`${name}: names, shapes and types of the 698 tensors, loaded and to be saved`, () => {
    const list = releasedList(sizes);
    assert.equal(list.size, 698);
    const { folder, numShards, bytes } = writeHollow(name, config, list);
    assert.equal(numShards, shards);
    assert.equal(bytes, 2 * parameters);
    using model = loadModel(folder);
    assert.deepEqual(model.config, config);
    assert.equal(model.numParameters, parameters);
    const kept = weightsOf(model);
    assert.deepEqual([...kept.keys()].sort(), [...list.keys()].sort());
    for (const [key, { dtype, shape }] of kept) {
      assert.equal(dtype, 'bfloat16');
      assert.deepEqual(shape, list.get(key), key);
    }
    assert.equal(planShards(kept, 5e9).length, shards);
  });
}

test('2B, 14B, 32B: the same list in other sizes', () => {
  for (const [config, sizes] of [
    [presets.ONEVISION_2B, { hidden: 2048, ffn: 6144, heads: 16, layers: 28 }],
    [presets.ONEVISION_14B, { hidden: 5120, ffn: 17408, heads: 40, layers: 40 }],
    [presets.ONEVISION_32B, { hidden: 5120, ffn: 25600, heads: 64, layers: 64 }],
  ] as const) {
    const wanted = shapesOf(config);
    assert.deepEqual(new Map([...wanted].sort()), new Map([...releasedList(sizes)].sort()));
  }
});

test('30B-A3B: 128 experts in 48 layers, each with names of its own on disk', () => {
  const wanted = shapesOf(presets.ONEVISION_30B_A3B);
  assert.deepEqual(wanted.get('model.layers.47.mlp.experts.127.gate_proj.weight'), [768, 2048]);
  assert.deepEqual(wanted.get('model.layers.0.mlp.experts.0.down_proj.weight'), [2048, 768]);
  assert.deepEqual(wanted.get('model.layers.0.mlp.gate.weight'), [128, 2048]);
  assert.equal(wanted.size, 299 + 3 + 48 * (8 + 1 + 3 * 128));
  const decoder = [...wanted].filter(([name]) => !name.startsWith('visual.'));
  const count = decoder.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  assert.equal(count, 30_532_122_624); // Qwen3-30B-A3B
});
