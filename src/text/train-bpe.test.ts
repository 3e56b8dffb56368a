// Training and encoding against Hugging Face's Rust library; see test/fixtures/tokenizer/make.py.

import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { readJson } from '../core/files.ts';
import { BYTE_TO_CHAR, CHAR_TO_BYTE } from './byte-alphabet.ts';
import { createTokenizer } from './tokenizer.ts';
import { trainTokenizer } from './train-bpe.ts';

const fixtures = path.join(import.meta.dirname, '../../test/fixtures/tokenizer');
const texts = readJson(path.join(fixtures, 'texts.json'), z.array(z.string()));
const golden = readJson(
  path.join(fixtures, 'golden.json'),
  z.strictObject({
    vocabSize: z.int(),
    merges: z.array(z.tuple([z.string(), z.string()])),
    cases: z.array(
      z.strictObject({ text: z.string(), ids: z.array(z.int()), decoded: z.string() }),
    ),
  }),
);
const modelSchema = z.looseObject({
  model: z.looseObject({ merges: z.array(z.tuple([z.string(), z.string()])) }),
});
const files = trainTokenizer(texts, golden.vocabSize);

test('the merges are those of Hugging Face, in the same order', () => {
  const { model } = modelSchema.parse(JSON.parse(files.tokenizerJson));
  assert.deepEqual(model.merges, golden.merges);
});

test('ids and decoded text equal the Rust library on odd strings', () => {
  const tokenizer = createTokenizer(files);
  assert.equal(tokenizer.vocabSize, golden.vocabSize);
  for (const { text, ids, decoded } of golden.cases) {
    assert.deepEqual(Array.from(tokenizer.encode(text)), ids, JSON.stringify(text));
    assert.equal(tokenizer.decode(ids), decoded, JSON.stringify(text));
  }
});

test('the same texts give the same bytes; roles and the system prompt are single words', () => {
  assert.deepEqual(trainTokenizer(texts, golden.vocabSize), files);
  const tokenizer = createTokenizer(files);
  for (const role of ['user', 'assistant', 'system']) {
    assert.equal(tokenizer.encode(role).length, 1, role);
  }
  assert.equal(tokenizer.encode('You are a helpful assistant.').length, 6);
});

test('control tokens in the texts teach nothing', () => {
  const dirty = texts.map((text) => `<|im_start|>${text}<|im_end|>`);
  assert.equal(trainTokenizer(dirty, golden.vocabSize).tokenizerJson, files.tokenizerJson);
});

test('few texts give a smaller vocabulary, no texts the bytes alone', () => {
  const bytes = createTokenizer(trainTokenizer([], 2048));
  assert.equal(bytes.vocabSize, 256 + 7);
  assert.equal(bytes.decode(bytes.encode('naïve 🦊')), 'naïve 🦊');
  assert.ok(createTokenizer(trainTokenizer(['aa aa'], 2048)).vocabSize < 300);
  const rare = trainTokenizer(['fox fox owl'], 400, { minFrequency: 3, defaultSystem: '' });
  assert.equal(createTokenizer(rare).encode(' owl').length, 4);
});

test('a vocabulary smaller than the bytes is a recipe error', () => {
  const expected = { code: 'recipe', message: /at least 263 tokens.*came 100/ };
  assert.throws(() => trainTokenizer(texts, 100), expected);
});

test('the byte alphabet is one to one', () => {
  assert.equal(new Set(BYTE_TO_CHAR).size, 256);
  assert.equal(BYTE_TO_CHAR[0x41], 'A');
  assert.equal(BYTE_TO_CHAR[0x20], 'Ġ');
  assert.equal(CHAR_TO_BYTE.get('Ċ'), 10);
});
