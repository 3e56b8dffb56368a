// Our engine behind the evaluation interface: a tiny model of random weights on drawn pictures.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { QWEN_PROCESSOR } from '../image/config.ts';
import { makeBatch } from '../model/batch.ts';
import { createOneVision } from '../model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../model/presets.ts';
import { type Processor, prepareChat } from '../model/processor.ts';
import { tokenLogProbs } from '../model/scoring/token-log-probs.ts';
import type { Message } from '../sample/sample.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { trainTokenizer } from '../text/train-bpe.ts';
import type { Reply } from './eval-model.ts';
import { hashCheckpoint, localModel } from './local-model.ts';

const tokenizer = createTokenizer(
  trainTokenizer(['a red square', 'a blue square', 'What is this?'], 300, { defaultSystem: '' }),
);
const processor: Processor = { tokenizer, image: QWEN_PROCESSOR };
const config = tinyConfig(vocabularyOf(tokenizer), {
  width: 32,
  headDim: 16,
  visionLayers: 1,
  textLayers: 1,
});
const ask = (text: string): Message => ({ role: 'user', content: text });
const say = (text: string): Message => ({ role: 'assistant', content: text });

async function square(background: string) {
  const create = { width: 56, height: 56, channels: 3, background } as const;
  return { name: 'img0.png', bytes: await sharp({ create }).png().toBuffer() };
}

test('scores the last reply only, alike alone and in a batch', async () => {
  using model = createOneVision(config, { seed: 1 });
  const local = localModel(model, processor, { identity: 'x' });
  const images = [await square('#f00')];
  const first = [ask('<image>What is this?'), say('a red square')];
  const two = [...first, ask('And now?'), say('a blue square')];
  const requests = [first, two].map((messages) => ({ uid: 'q', messages, images }));
  const prepared = await Promise.all(requests.map((request) => local.prepare(request, 'score')));
  const together = await local.score(prepared);
  for (const [index, one] of prepared.entries()) {
    const [alone] = await local.score([one]);
    assert.equal(alone?.numTokens, together[index]?.numTokens);
    assert.ok(Math.abs((alone?.sumLogProb ?? 0) - (together[index]?.sumLogProb ?? 1)) < 1e-4);
  }
  const whole = await prepareChat(processor, { messages: two, images: images.map((i) => i.bytes) });
  const both = tokenLogProbs(model, makeBatch([whole]));
  const counted = together.reduce((sum, score) => sum + score.numTokens, 0);
  assert.equal(both.length, counted, 'the two replies together are all targets');
  const summed = together.reduce((sum, score) => sum + score.sumLogProb, 0);
  assert.ok(Math.abs(both.reduce((sum, x) => sum + x, 0) - summed) < 1e-3);
});

test('writes a reply for each prompt and says when it was cut', async () => {
  using model = createOneVision(config, { seed: 1 });
  const local = localModel(model, processor, { identity: 'x' });
  const images = [await square('#00f')];
  const request = { uid: 'q', messages: [ask('<image>What is this?')], images };
  const prepared = await local.prepare(request, 'generate');
  const replies: Reply[] = [];
  const decoding = { maxNewTokens: 3, temperature: 0 };
  await local.write([prepared, prepared], decoding, (index, reply) => {
    replies[index] = reply;
  });
  assert.equal(replies.length, 2);
  assert.deepEqual(replies[0], replies[1]);
  assert.equal(typeof replies[0]?.text, 'string');
});

test('a broken picture is a data error of its own request', async () => {
  using model = createOneVision(config, { seed: 1 });
  const local = localModel(model, processor, { identity: 'x' });
  const images = [{ name: 'img0.png', bytes: new Uint8Array([1, 2]) }];
  const request = { uid: 'q', messages: [ask('<image>What is this?')], images };
  await assert.rejects(local.prepare(request, 'generate'), { code: 'data' });
});

test('the hash of a checkpoint follows weights and tokenizer, not other files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'onevision-hash-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('model.safetensors', 'weights');
  write('tokenizer.json', '{}');
  const first = await hashCheckpoint(folder);
  write('optimizer.safetensors', 'moments');
  write('state.json', '{}');
  assert.equal(await hashCheckpoint(folder), first);
  write('model.safetensors', 'weightS');
  assert.notEqual(await hashCheckpoint(folder), first);
  rmSync(folder, { recursive: true });
});
