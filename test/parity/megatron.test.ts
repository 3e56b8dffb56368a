// The original's Megatron layout both ways, against golden/megatron.pt (make-torch-files.py).
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { shapesOf, weightsOf } from '../../src/model/checkpoint.ts';
import {
  fromMegatron,
  openMegatron,
  saveMegatron,
  toMegatron,
} from '../../src/model/convert/megatron.ts';
import { groupedRows } from '../../src/model/convert/megatron-map.ts';
import { openSafetensors } from '../../src/tensor/safetensors.ts';
import type { LazyTensor } from '../../src/tensor/storage/stored-tensor.ts';
import { SMALL, smallModel } from '../support/model.ts';

const root = mkdtempSync(join(tmpdir(), 'onevision-megatron-'));
after(() => rmSync(root, { recursive: true }));
const path = new URL('golden/megatron.pt', import.meta.url).pathname;
const golden = openSafetensors(new URL('golden/onevision.safetensors', import.meta.url).pathname);
const numbers = (tensor: LazyTensor | undefined): number[] => tensor?.read().toNumbers() ?? [];

test('rows of qkv by group: the queries of a group, its key, its value', () => {
  assert.deepEqual([...groupedRows(2, 2, 1)], [0, 1, 4, 6, 2, 3, 5, 7]);
  assert.deepEqual([...groupedRows(2, 1, 2)], [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]);
});

test('a Megatron file reads as the released weights, padding of the vocabulary cut off', () => {
  using checkpoint = openMegatron(path);
  const tensors = fromMegatron(checkpoint.tensors, SMALL, path);
  const names = [...shapesOf(SMALL).keys()].sort();
  assert.deepEqual([...tensors.keys()].sort(), names);
  for (const name of names) {
    assert.deepEqual(numbers(tensors.get(name)), golden.tensor(`weight/${name}`).toNumbers(), name);
  }
});

test('the released weights become the same Megatron tensors', () => {
  using checkpoint = openMegatron(path);
  const weights = golden.names.filter((name) => name.startsWith('weight/'));
  const released = weights.map((name) => [name.slice(7), golden.lazy(name)] as const);
  const made = toMegatron(new Map(released), SMALL);
  assert.deepEqual([...made.keys()].sort(), [...checkpoint.tensors.keys()].sort());
  for (const [name, tensor] of made) {
    const expected = numbers(checkpoint.tensors.get(name));
    const isPadded = /word_embeddings|output_layer/.test(name);
    const came = numbers(tensor);
    assert.deepEqual(came, isPadded ? expected.slice(0, came.length) : expected, name);
  }
});

test('written and read again: dense and with experts, bit for bit', async () => {
  const experts = {
    numExperts: 3,
    numActive: 2,
    intermediateSize: 16,
    normTopkProb: true,
    auxLossCoef: 0.001,
    denseLayers: [0],
  };
  for (const [name, config] of [
    ['dense', SMALL],
    ['experts', { ...SMALL, text: { ...SMALL.text, experts } }],
  ] as const) {
    const folder = join(root, name);
    using model = smallModel({ config, dtype: 'bfloat16' });
    const before = weightsOf(model);
    await saveMegatron(folder, before, config);
    assert.equal(
      readFileSync(join(folder, 'latest_checkpointed_iteration.txt'), 'utf8'),
      'release',
    );
    using checkpoint = openMegatron(folder);
    const after = fromMegatron(checkpoint.tensors, config, folder);
    assert.equal(after.size, before.size);
    for (const [key, tensor] of before) {
      assert.equal(after.get(key)?.dtype, 'bfloat16');
      assert.deepEqual(numbers(after.get(key)), numbers(tensor), key);
    }
  }
});

test('split checkpoints, foreign files and other sizes are refused by name', () => {
  const split = join(root, 'split');
  for (const rank of ['mp_rank_00', 'mp_rank_01']) {
    mkdirSync(join(split, 'iter_0000020', rank), { recursive: true });
  }
  writeFileSync(join(split, 'latest_checkpointed_iteration.txt'), '20\n');
  assert.throws(() => openMegatron(split), { code: 'checkpoint', message: /came 2 ranks/ });
  assert.throws(() => openMegatron(join(root, 'none')), { code: 'checkpoint', message: /none/ });
  const other = new URL('golden/torch-save.pt', import.meta.url).pathname;
  assert.throws(() => openMegatron(other), { code: 'checkpoint', message: /a dict 'model'/ });
  using checkpoint = openMegatron(path);
  const text = { ...SMALL.text, numLayers: 1, headDim: 16 };
  assert.throws(() => fromMegatron(checkpoint.tensors, { ...SMALL, text }, path), {
    code: 'checkpoint',
    message: /misshapen: .*linear_qkv\.weight is \[64,24\], expected \[128,24\]/,
  });
});
