// Ids of conversations against transformers' apply_chat_template with the exact Qwen3 tokenizer:
// golden/chat-template.json, made by make-chat-template.py. The typed path, our template through Jinja
// and Qwen3's own template through Jinja.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ChatMessage, encodePrompt } from '../../src/text/chat-template.ts';
import { chatTemplateSource, QWEN_SYSTEM } from '../../src/text/chat-template-source.ts';
import { encodePromptWithTemplate, foreignTemplate } from '../../src/text/jinja-template.ts';
import { defaultSystemOf } from '../../src/text/render-template.ts';
import { loadTokenizer } from '../../src/text/tokenizer.ts';
import { qwen3Tokenizer } from '../support/qwen3-tokenizer.ts';

interface Case {
  readonly messages: readonly ChatMessage[];
  readonly images: readonly number[];
  readonly videos: readonly number[];
  readonly ours: readonly number[];
  readonly theirs: readonly number[] | null;
}

const golden: readonly Case[] = JSON.parse(
  readFileSync(new URL('golden/chat-template.json', import.meta.url), 'utf8'),
);
const found = await qwen3Tokenizer();
const needs = { skip: 'reason' in found ? found.reason : false };
const folder = 'folder' in found ? found.folder : '';

test('ids equal apply_chat_template: typed, our template, and Qwen3 own template', needs, () => {
  const tokenizer = loadTokenizer(folder);
  const config = JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'));
  const ownTemplate: string = config.chat_template;
  assert.equal(tokenizer.vocabSize, 151669);
  assert.equal(tokenizer.ids.imagePad, 151655);
  assert.equal(foreignTemplate(tokenizer), undefined, 'text as we write it');
  assert.equal(golden.length, 7);
  for (const { messages, images, videos, ours, theirs } of golden) {
    const options = { videoTokens: videos };
    const typed = encodePrompt(tokenizer, messages, images, {
      ...options,
      defaultSystem: QWEN_SYSTEM,
    });
    assert.deepEqual([...typed], ours);
    const source = chatTemplateSource();
    const jinja = encodePromptWithTemplate(tokenizer, source, messages, images, options);
    assert.deepEqual([...jinja], ours);
    if (theirs === null) continue;
    assert.deepEqual([...encodePromptWithTemplate(tokenizer, ownTemplate, messages, [])], theirs);
    const bare = encodePrompt(tokenizer, messages, [], { defaultSystem: tokenizer.defaultSystem });
    assert.deepEqual([...bare], theirs);
  }
});

test(
  'the default system prompt of a loaded tokenizer is the one its template writes',
  needs,
  () => {
    assert.equal(defaultSystemOf(chatTemplateSource()), QWEN_SYSTEM);
    assert.equal(defaultSystemOf(chatTemplateSource('')), '');
    assert.equal(loadTokenizer(folder).defaultSystem, '');
  },
);
