// Model folders: round trip, both key forms, several files, and what is refused.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { randomSegment, SMALL, smallModel } from '../../test/support/model.ts';
import { QWEN_PROCESSOR } from '../image/config.ts';
import { noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { openSafetensors, saveSafetensors } from '../tensor/safetensors.ts';
import { createTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { trainTokenizer } from '../text/train-bpe.ts';
import { makeBatch } from './batch.ts';
import { configFromHuggingFace } from './checkpoint/read-config.ts';
import { configToHuggingFace } from './checkpoint/write-config.ts';
import { loadCheckpoint, loadModel, saveCheckpoint } from './checkpoint.ts';
import type { OneVisionConfig } from './config.ts';
import type { OneVision } from './onevision.ts';
import { ONEVISION_4B } from './presets.ts';
import { prepareChat, preparePrompt } from './processor.ts';

const root = mkdtempSync(path.join(tmpdir(), 'onevision-checkpoint-'));
after(() => rmSync(root, { recursive: true, force: true }));
const image = { ...QWEN_PROCESSOR, patchSize: 2, minPixels: 16, maxPixels: 256 };
const tokenizer: Tokenizer = createTokenizer(trainTokenizer(['a red apple', 'the cat'], 280));
const WEIGHTS = 'model.safetensors';

function logitsOf(model: OneVision): number[] {
  const batch = makeBatch([randomSegment('x', 9), randomSegment('y', 4, [])]);
  return tidy(() => noGrad(() => model.logits(model.features(batch)).toNumbers()));
}

async function saved(name: string, config: OneVisionConfig = SMALL): Promise<string> {
  const folder = path.join(root, name);
  using model = smallModel({ config });
  await saveCheckpoint(folder, model, { tokenizer, image });
  return folder;
}

/** Write the weights of a folder again, changed. */
async function rewrite(
  folder: string,
  change: (tensors: Record<string, Tensor>) => Record<string, Tensor>,
): Promise<void> {
  const file = openSafetensors(path.join(folder, WEIGHTS));
  const tensors = Object.fromEntries(
    file.names.map((name) => [name, ops.clone(file.tensor(name))]),
  );
  file.close();
  await saveSafetensors(path.join(folder, WEIGHTS), change(tensors));
}

test('round trip: config, processor, weights to the bit, same logits', async () => {
  const folder = await saved('round');
  const { model, processor } = loadCheckpoint(folder);
  using original = smallModel();
  assert.deepEqual(model.config, SMALL);
  assert.deepEqual(processor.image, image);
  assert.equal(processor.tokenizer.vocabSize, tokenizer.vocabSize);
  assert.deepEqual([...model.namedParameters().keys()], [...original.namedParameters().keys()]);
  assert.deepEqual(logitsOf(model), logitsOf(original));
  const again = path.join(root, 'again');
  await saveCheckpoint(again, model, processor);
  for (const name of [WEIGHTS, 'config.json', 'preprocessor_config.json', 'tokenizer.json']) {
    const [first, second] = [folder, again].map((f) => readFileSync(path.join(f, name)));
    assert.ok(first !== undefined && second !== undefined && first.equals(second), name);
  }
});

test('a loaded model trains: its weights are its own', async () => {
  const folder = await saved('own');
  const before = readFileSync(path.join(folder, WEIGHTS));
  using model = loadModel(folder);
  model.setRequiresGrad(true);
  noGrad(() => {
    for (const parameter of model.namedParameters().values()) ops.addScalar_(parameter, 1);
  });
  using untouched = loadModel(folder);
  assert.ok(readFileSync(path.join(folder, WEIGHTS)).equals(before));
  assert.notDeepEqual(logitsOf(model), logitsOf(untouched));
});

test('the in-memory key form of Hugging Face loads, with a stray inv_freq', async () => {
  const folder = await saved('form');
  using original = loadModel(folder);
  const expected = logitsOf(original);
  await rewrite(folder, (tensors) => ({
    ...Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name.replace(/^model\./, 'model.language_model.').replace(/^visual\./, 'model.visual.'),
        tensor,
      ]),
    ),
    'model.visual.rotary_pos_emb.inv_freq': ops.zeros([4]),
  }));
  using model = loadModel(folder);
  assert.deepEqual(logitsOf(model), expected);
  assert.ok(model.namedParameters().has('visual.class_embedding'));
});

test('weights in several files by index', async () => {
  const folder = await saved('shards');
  using original = loadModel(folder);
  const expected = logitsOf(original);
  const file = openSafetensors(path.join(folder, WEIGHTS));
  const map: Record<string, string> = {};
  for (const half of [0, 1]) {
    const name = `model-0000${half + 1}-of-00002.safetensors`;
    const mine = file.names.filter((_, i) => i % 2 === half);
    for (const key of mine) map[key] = name;
    const tensors = Object.fromEntries(mine.map((key) => [key, file.tensor(key)]));
    await saveSafetensors(path.join(folder, name), tensors);
  }
  file.close();
  rmSync(path.join(folder, WEIGHTS));
  const index = JSON.stringify({ metadata: {}, weight_map: map });
  writeFileSync(path.join(folder, `${WEIGHTS}.index.json`), index);
  using model = loadModel(folder);
  assert.deepEqual(logitsOf(model), expected);
});

test('another dtype on load', async () => {
  const folder = await saved('half');
  using model = loadModel(folder, { dtype: 'bfloat16' });
  assert.ok([...model.namedParameters().values()].every((p) => p.dtype === 'bfloat16'));
});

test('tied models store no head and let one be there', async () => {
  const config = { ...SMALL, text: { ...SMALL.text, tieEmbeddings: true } };
  const folder = await saved('tied', config);
  await rewrite(folder, (tensors) => {
    assert.ok(!('lm_head.weight' in tensors));
    return { ...tensors, 'lm_head.weight': ops.zeros([40, 24]) };
  });
  using model = loadModel(folder);
  assert.equal(model.config.text.tieEmbeddings, true);
});

test('missing, misshapen and unexpected tensors are listed, ten at most', async () => {
  const folder = await saved('wrong');
  await rewrite(folder, ({ 'visual.class_embedding': _gone, ...tensors }) => ({
    ...tensors,
    'visual.class_pos_emb': ops.zeros([2, 4]),
    'visual.extra': ops.zeros([1]),
  }));
  assert.throws(
    () => loadModel(folder),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'checkpoint');
      assert.match(error.message, /came 3 differences/);
      assert.match(error.message, /missing: visual\.class_embedding \[16\]/);
      assert.match(error.message, /misshapen: visual\.class_pos_emb is \[2,4\], expected \[1,4\]/);
      assert.match(error.message, /unexpected: visual\.extra/);
      return true;
    },
  );
  await rewrite(folder, (tensors) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith('model.'))),
  );
  assert.throws(() => loadModel(folder), { message: /… and \d+ more/ });
});

test('a folder without weights, a truncated file, a foreign architecture', async () => {
  const folder = await saved('bad');
  const file = path.join(folder, WEIGHTS);
  writeFileSync(file, readFileSync(file).subarray(0, 2000));
  assert.throws(() => loadModel(folder), { code: 'checkpoint' });
  rmSync(file);
  assert.throws(() => loadModel(folder), { code: 'checkpoint', message: /model\.safetensors/ });
  writeFileSync(path.join(folder, 'config.json'), '{"model_type":"llama"}');
  assert.throws(() => loadModel(folder), { code: 'checkpoint', message: /model_type/ });
  assert.throws(() => loadModel(path.join(root, 'nowhere')), { code: 'checkpoint' });
});

test('config: both ways, eps per site, sizes that cannot be', () => {
  assert.deepEqual(configFromHuggingFace(configToHuggingFace(ONEVISION_4B, 'bfloat16')), {
    ...ONEVISION_4B,
  });
  const trained: OneVisionConfig = {
    ...SMALL,
    vision: { ...SMALL.vision, preLayerNormEps: 1e-4, mergerEps: 1e-6 },
  };
  assert.deepEqual(configFromHuggingFace(configToHuggingFace(trained, 'float32')), trained);
  const odd = { ...SMALL, text: { ...SMALL.text, numKvHeads: 3 } };
  assert.throws(() => configFromHuggingFace(configToHuggingFace(odd, 'float32')), {
    code: 'checkpoint',
    message: /4 text heads a multiple of 3/,
  });
});

test('conversations become segments: image tokens, targets, several sizes', async () => {
  const picture = async (width: number, height: number): Promise<Uint8Array> =>
    sharp({ create: { width, height, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
  const images = [await picture(8, 8), await picture(12, 4)];
  const question = { role: 'user', content: '<image><image>the cat' } as const;
  const answer = { role: 'assistant', content: 'a red apple' } as const;
  const processor = { tokenizer, image };
  const chat = await prepareChat(processor, { messages: [question, answer], images });
  const prompt = await preparePrompt(processor, { messages: [question], images });
  assert.deepEqual(
    chat.images.map(({ gridH, gridW }) => [gridH, gridW]),
    [
      [4, 4],
      [2, 6],
    ],
  );
  const isPad = (id: number): boolean => id === tokenizer.ids.imagePad;
  assert.equal(chat.inputIds.filter(isPad).length, 4 + 3);
  assert.equal(prompt.inputIds.filter(isPad).length, 4 + 3);
  assert.deepEqual([...chat.inputIds.subarray(0, prompt.inputIds.length)], [...prompt.inputIds]);
  assert.ok(chat.targets?.some((target) => target >= 0));
  await assert.rejects(preparePrompt(processor, { messages: [question], images: [] }), {
    code: 'data',
  });
});
