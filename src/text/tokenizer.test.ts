// Opening, caching, decoding and saving tokenizers; missing and foreign files.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { createTokenizer, loadTokenizer } from './tokenizer.ts';
import { trainTokenizer } from './train-bpe.ts';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'onevision-tokenizer-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const texts = ['a red fox', 'a red owl', 'a fox and an owl', 'Füchse', 'Is this a fox?'];
const files = trainTokenizer(texts, 320, { defaultSystem: 'Say "it\'s".\nThen \\stop.' });
const tokenizer = createTokenizer(files);

test('ids are known, distinct and at the end of the vocabulary', () => {
  const ids = Object.values(tokenizer.ids);
  assert.equal(new Set(ids).size, 7);
  assert.equal(Math.max(...ids), tokenizer.vocabSize - 1);
  assert.deepEqual(Array.from(tokenizer.encode('<|im_end|>')), [tokenizer.ids.imEnd]);
});

test('text survives; control tokens can be left out; unknown ids are left out', () => {
  const text = '<|im_start|>ein Füchslein\n🦊<|im_end|>';
  const ids = tokenizer.encode(text);
  assert.equal(tokenizer.decode(ids), text);
  assert.equal(tokenizer.decode(ids, { skipSpecialTokens: true }), 'ein Füchslein\n🦊');
  assert.equal(tokenizer.decode([]), '');
  assert.equal(tokenizer.decode([tokenizer.vocabSize, 10 ** 9, -1]), '');
  assert.equal(tokenizer.decode([...tokenizer.encode('fox'), 10 ** 6]), 'fox');
});

test('a cut character becomes the replacement character', () => {
  const ids = tokenizer.encode('🦊');
  assert.ok(ids.length > 1);
  assert.match(tokenizer.decode(ids.subarray(0, 1)), /\ufffd/);
});

test('byte lengths add up to the bytes of the text', () => {
  for (const text of ['a red fox', 'Füchse 🦊\n', '<|im_start|>x']) {
    const sum = tokenizer.encode(text).reduce((total, id) => total + tokenizer.byteLength(id), 0);
    assert.equal(sum, Buffer.byteLength(text));
  }
});

test('encoding is cached, and long texts are not kept', () => {
  assert.equal(tokenizer.encode('a red fox'), tokenizer.encode('a red fox'));
  const long = 'fox '.repeat(1000);
  assert.notEqual(tokenizer.encode(long), tokenizer.encode(long));
});

test('saved and loaded again it is the same, byte for byte', async () => {
  await tokenizer.save(path.join(folder, 'saved'));
  const loaded = loadTokenizer(path.join(folder, 'saved'));
  assert.deepEqual(loaded.encode('a fox?'), tokenizer.encode('a fox?'));
  assert.equal(loaded.defaultSystem, 'Say "it\'s".\nThen \\stop.');
  await loaded.save(path.join(folder, 'again'));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja']) {
    const read = (where: string): string => fs.readFileSync(path.join(folder, where, name), 'utf8');
    assert.equal(read('again'), read('saved'), name);
  }
});

test('a template inside the configuration stays the only one', async () => {
  const configJson = files.configJson.replace('{', '{"chat_template": "theirs",');
  const theirs = createTokenizer({ ...files, configJson, chatTemplate: undefined });
  await theirs.save(path.join(folder, 'theirs'));
  const names = fs.readdirSync(path.join(folder, 'theirs')).sort();
  assert.deepEqual(names, ['tokenizer.json', 'tokenizer_config.json']);
});

test('missing, broken and foreign files are data errors that name the file', () => {
  const fails = (message: RegExp, change: Partial<typeof files>): void =>
    assert.throws(() => createTokenizer({ ...files, ...change }, 'here'), {
      code: 'data',
      message,
    });
  assert.throws(() => loadTokenizer(path.join(folder, 'none')), {
    code: 'data',
    message: /tokenizer\.json/,
    hint: /tokenizer_config\.json/,
  });
  fails(/here, tokenizer\.json/, { tokenizerJson: '{' });
  fails(/here, tokenizer\.json/, { tokenizerJson: '{"model": 3}' });
  fails(/here, tokenizer_config\.json/, { configJson: '[]' });
  fails(/byte-level BPE.*Unigram/, {
    tokenizerJson: files.tokenizerJson.replace('"type": "BPE"', '"type": "Unigram"'),
  });
  fails(/<\|image_pad\|>/, { tokenizerJson: files.tokenizerJson.replaceAll('image_pad', 'other') });
});
