// Encoding by words against encoding whole texts, on random texts of every kind of character.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { qwen3Tokenizer } from '../../test/support/qwen3-tokenizer.ts';
import { createRandom } from '../core/hash.ts';
import { trainTokenizer } from './train-bpe.ts';
import { encodeByWords } from './word-cache.ts';

const PIECES = [
  ...[
    'a',
    'the',
    'Fox',
    "it's",
    "DON'T",
    'naïve',
    'e\u0301',
    'straße',
    '狐狸',
    'くつね',
    '🦊🏽',
    '𝔘',
  ],
  ...[' ', '  ', '\t', '\n', '\r\n', '\n\n ', '\u00a0', '\u3000', ' \n', '   x'],
  ...['1', '2024', '٣', '.', '...', '!?', ' —', '$1,234.56', '<|im_start|>', '<image>', '\u0000'],
  ...['\u0301', '\ud83e', 'ŉ', 'ﬁ', '　', 'http://x.y/z?a=b', '_', "'s", "'LL", ' \u200b'],
];

function assertSame(json: object, config: object, numTexts: number): void {
  const hf = new HfTokenizer(json, config);
  const encode = (text: string): number[] => hf.encode(text, { add_special_tokens: false }).ids;
  let numAsked = 0;
  const byWords = encodeByWords(json, (text) => {
    numAsked += 1;
    return encode(text);
  });
  const random = createRandom('words');
  for (let i = 0; i < numTexts; i++) {
    const text = Array.from({ length: random.int(14) }, () => random.pick(PIECES)).join('');
    assert.deepEqual([...byWords(text)], encode(text), JSON.stringify(text));
  }
  numAsked = 0;
  const plain = 'the Fox  and the Fox\n'.repeat(40);
  assert.deepEqual([...byWords(plain)], encode(plain));
  assert.ok(numAsked < 12, `${numAsked} pieces encoded for a text of four words`);
}

test('ids are those of whole texts: a trained tokenizer', () => {
  const texts = ['a red fox, the Fox and an owl', 'straße 狐狸 2024', "it's 1,234.56 !?"];
  const { tokenizerJson, configJson } = trainTokenizer(texts, 400, { defaultSystem: '' });
  assertSame(JSON.parse(tokenizerJson), JSON.parse(configJson), 3000);
});

test("ids are those of whole texts: Qwen3's tokenizer", async (t) => {
  const found = await qwen3Tokenizer();
  if ('reason' in found) return t.skip(found.reason);
  const read = (name: string): object => JSON.parse(readFileSync(join(found.folder, name), 'utf8'));
  assertSame(read('tokenizer.json'), read('tokenizer_config.json'), 1500);
});

test('a tokenizer with other rules is left alone', () => {
  const asked: string[] = [];
  const encode = encodeByWords({ pre_tokenizer: null }, (text) => {
    asked.push(text);
    return [1];
  });
  encode('two words');
  assert.deepEqual(asked, ['two words']);
});
