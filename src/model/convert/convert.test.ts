// Model folders made of others: RICE-ViT and Qwen3 merged, adapters added, figures by part.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { SMALL, smallModel } from '../../../test/support/model.ts';
import { RICE, smallTokenizer, writeFolder, writeSources } from '../../../test/support/sources.ts';
import { QWEN_PROCESSOR } from '../../image/config.ts';
import type { Tensor } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { openSafetensors, saveSafetensors } from '../../tensor/safetensors.ts';
import { openWeights } from '../checkpoint/weights.ts';
import { loadModel, saveCheckpoint, weightsOf } from '../checkpoint.ts';
import { vocabularyOf } from '../presets.ts';
import { describeModel } from './info.ts';
import { mergeAdapter } from './lora.ts';
import { type MergedModel, mergeModels } from './merge.ts';

const root = mkdtempSync(path.join(tmpdir(), 'onevision-convert-'));
after(() => rmSync(root, { recursive: true, force: true }));
const tokenizer = smallTokenizer();
const image = { ...QWEN_PROCESSOR, patchSize: 2 };
const { vocabSize: _vocabSize, ...ids } = vocabularyOf(tokenizer);

const numbers = (merged: MergedModel, name: string): number[] =>
  merged.tensors.get(name)?.read().toNumbers() ?? [];

test('merge: tower and decoder to the bit, head from the tied embedding, a seeded merger', async () => {
  const sources = await writeSources(root, 'merge');
  using merged = mergeModels(sources, { seed: 3, ids });
  using same = mergeModels(sources, { seed: 3, ids });
  using other = mergeModels(sources, { seed: 4, ids });
  using original = smallModel();
  for (const [name, tensor] of original.namedParameters()) {
    if (name.startsWith('visual.merger.')) continue;
    const expected = name === 'lm_head.weight' ? 'model.embed_tokens.weight' : name;
    const wanted = original.namedParameters().get(expected) ?? tensor;
    assert.deepEqual(numbers(merged, name), wanted.toNumbers(), name);
  }
  const matrix = 'visual.merger.mlp.0.weight';
  assert.deepEqual(numbers(same, matrix), numbers(merged, matrix));
  assert.notDeepEqual(numbers(other, matrix), numbers(merged, matrix));
  assert.ok(numbers(merged, 'visual.merger.ln_q.weight').every((value) => value === 1));
  assert.ok(numbers(merged, 'visual.merger.mlp.2.bias').every((value) => value === 0));
  assert.equal(merged.config.text.tieEmbeddings, false);
  assert.deepEqual(merged.config.text, SMALL.text);
  assert.deepEqual(merged.config.vision, SMALL.vision);
});

test('merge: another type, a trained projector, and sources that do not fit', async () => {
  const sources = await writeSources(root, 'more');
  const projector = path.join(root, 'projector');
  mkdirSync(projector);
  using donor = smallModel({ seed: 9 });
  const mine = [...donor.namedParameters()].filter(([name]) => name.startsWith('visual.merger.'));
  const renamed = mine.map(([name, t]) => [name.replace('visual.merger', 'model.mm_projector'), t]);
  await saveSafetensors(path.join(projector, 'model.safetensors'), Object.fromEntries(renamed));
  using merged = mergeModels({ ...sources, projector }, { seed: 0, ids, dtype: 'bfloat16' });
  assert.equal(merged.dtype, 'bfloat16');
  for (const [name, tensor] of mine) {
    const half = ops.toCopy(tensor, { dtype: 'bfloat16' }).toNumbers();
    assert.deepEqual(numbers(merged, name), half);
  }
  const refused = (change: Partial<typeof sources & { projector: string }>, message: RegExp) =>
    assert.throws(() => mergeModels({ ...sources, ...change }, { seed: 0, ids }), {
      code: 'checkpoint',
      message,
    });
  refused({ vision: sources.decoder }, /a RICE-ViT model (.|\n)*model_type/);
  refused({ decoder: sources.vision }, /a Qwen3 model/);
  refused({ projector: sources.vision }, /a projector/);
  const deeper = writeFolder(root, 'deeper-rice', { ...RICE, num_hidden_layers: 3 });
  const file = openSafetensors(path.join(sources.vision, 'model.safetensors'));
  const all = Object.fromEntries(file.names.map((name) => [name, file.tensor(name)]));
  await saveSafetensors(path.join(deeper, 'model.safetensors'), all);
  refused({ vision: deeper }, /missing: visual\.blocks\.2\./);
});

async function writeAdapter(
  name: string,
  config: object,
  tensors: Record<string, Tensor>,
): Promise<string> {
  const folder = path.join(root, name);
  mkdirSync(folder);
  const json = JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 8, ...config });
  writeFileSync(path.join(folder, 'adapter_config.json'), json);
  await saveSafetensors(path.join(folder, 'adapter_model.safetensors'), tensors);
  return folder;
}

test('lora: W + scale · B A in every key form, whole tensors, scales by module', async () => {
  using model = smallModel();
  const base = weightsOf(model);
  const query = 'layers.0.self_attn.q_proj';
  const [a, b] = [ops.randn([2, 24]), ops.randn([32, 2])];
  const at = (form: string): Record<string, Tensor> => ({
    [`base_model.model.${form}.${query}.lora_A.weight`]: a,
    [`base_model.model.${form}.${query}.lora_B.weight`]: b,
  });
  const expected = (scale: number): number[] => {
    const [x, y] = [a.toNumbers(), b.toNumbers()];
    const old = base.get(`model.${query}.weight`)?.read().toNumbers() ?? [];
    return old.map((w, i) => {
      const [row, column] = [Math.floor(i / 24), i % 24];
      const sum = [0, 1].reduce((s, k) => s + (y[2 * row + k] ?? 0) * (x[24 * k + column] ?? 0), 0);
      return w + scale * sum;
    });
  };
  for (const [form, config, scale] of [
    ['model.language_model', {}, 4],
    ['model', { use_rslora: true }, 8 / Math.SQRT2],
    ['model', { alpha_pattern: { 'self_attn.q_proj': 1 } }, 0.5],
  ] as const) {
    const folder = await writeAdapter(`lora-${scale}`, config, at(form));
    using merged = mergeAdapter(base, folder);
    assert.equal(merged.numChanged, 1);
    const came = merged.tensors.get(`model.${query}.weight`)?.read().toNumbers() ?? [];
    const wanted = expected(scale);
    assert.ok(came.every((value, i) => Math.abs(value - (wanted[i] ?? 0)) < 1e-4));
  }
  const whole = { 'base_model.model.model.visual.merger.ln_q.weight': ops.full([16], 7) };
  using saved = mergeAdapter(base, await writeAdapter('whole', {}, whole));
  const norm = saved.tensors.get('visual.merger.ln_q.weight')?.read().toNumbers() ?? [];
  assert.ok(norm.length === 16 && norm.every((value) => value === 7));
});

test('lora: adapters of another kind or of another model are refused', async () => {
  using model = smallModel();
  const base = weightsOf(model);
  const name = 'base_model.model.model.layers.0.self_attn.q_proj';
  const refused = async (label: string, config: object, tensors: object, message: RegExp) => {
    const folder = await writeAdapter(label, config, tensors as Record<string, Tensor>);
    assert.throws(() => mergeAdapter(base, folder), { code: 'checkpoint', message });
  };
  const a = { [`${name}.lora_A.weight`]: ops.ones([2, 24]) };
  const b = { [`${name}.lora_B.weight`]: ops.ones([32, 2]) };
  await refused('dora', { use_dora: true }, { ...a, ...b }, /DoRA is not supported/);
  await refused('ia3', { peft_type: 'IA3' }, { ...a, ...b }, /peft_type/);
  await refused('half', {}, a, /missing: model\.layers\.0\.self_attn\.q_proj\.lora_B/);
  const wide = { [`${name}.lora_B.weight`]: ops.ones([31, 2]) };
  await refused('wide', {}, { ...a, ...wide }, /misshapen: .*q_proj is \[31,2\]/);
  const lost = { 'base_model.model.model.layers.9.mlp.up_proj.lora_A.weight': ops.ones([2, 24]) };
  await refused('lost', {}, lost, /unexpected: model\.layers\.9\.mlp\.up_proj/);
  const table = { 'base_model.model.model.embed_tokens.lora_embedding_A': ops.ones([2, 40]) };
  await refused('table', {}, table, /unexpected: .*lora_embedding_A/);
  await refused('pattern', { alpha_pattern: { '(': 2 } }, { ...a, ...b }, /a pattern/);
});

test('info: parts add up to the model, also where experts sleep', async () => {
  const experts = {
    numExperts: 4,
    numActive: 2,
    intermediateSize: 8,
    normTopkProb: true,
    auxLossCoef: 0,
    denseLayers: [],
  };
  for (const [name, config] of [
    ['dense', SMALL],
    ['sparse', { ...SMALL, text: { ...SMALL.text, experts } }],
  ] as const) {
    const folder = path.join(root, `info-${name}`);
    using model = smallModel({ config, dtype: 'bfloat16' });
    await saveCheckpoint(folder, model, { tokenizer, image });
    const info = describeModel(folder);
    assert.equal(info.total.numParameters, model.numParameters);
    assert.equal(info.total.bytes, 2 * model.numParameters);
    assert.deepEqual(info.dtypes, ['bfloat16']);
    assert.equal(info.parts.find(({ part }) => part === 'merger')?.numTensors, 6);
    const asleep = name === 'sparse' ? 2 * (2 * 3 * 8 * 24) : 0;
    assert.equal(info.total.numParameters - info.numActive, asleep);
    using again = loadModel(folder);
    assert.equal(again.numParameters, info.total.numParameters);
  }
  assert.throws(() => describeModel(root), { code: 'checkpoint' });
  using weights = openWeights(path.join(root, 'info-dense'));
  assert.equal(weights.numFiles, 1);
  assert.ok(readFileSync(path.join(root, 'info-dense', 'config.json'), 'utf8').length > 0);
});
