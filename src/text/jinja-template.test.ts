// Templates through Jinja: equal to the typed path for ours, and named errors for those that do not fit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChatMessage, encodePrompt } from './chat-template.ts';
import { chatTemplateSource } from './chat-template-source.ts';
import { encodePromptWithTemplate } from './jinja-template.ts';
import { defaultSystemOf, renderTemplate } from './render-template.ts';
import { createTokenizer } from './tokenizer.ts';
import { trainTokenizer } from './train-bpe.ts';

const tokenizer = createTokenizer(trainTokenizer(['a red fox', 'a red fox', 'what?'], 320));
const messages: readonly ChatMessage[] = [
  { role: 'user', content: 'a <image> red <video>fox<image>' },
  { role: 'assistant', content: 'what?\n' },
  { role: 'user', content: '<video>' },
];

test('our template through Jinja gives the ids of the typed path, images and videos included', () => {
  const options = { videoTokens: [4, 2] };
  const typed = encodePrompt(tokenizer, messages, [3, 1], options);
  const source = chatTemplateSource();
  assert.deepEqual(encodePromptWithTemplate(tokenizer, source, messages, [3, 1], options), typed);
  const plain = [{ role: 'user', content: 'a <video> in text' }] as const;
  const expected = encodePrompt(tokenizer, plain, []);
  assert.deepEqual(encodePromptWithTemplate(tokenizer, source, plain, []), expected);
});

test('templates that fail, or write other numbers of media, are data errors', () => {
  assert.throws(() => renderTemplate('{% if %}', [], true), {
    code: 'data',
    hint: /chat_template/,
  });
  assert.throws(() => renderTemplate("{{ raise_exception('no roles') }}", [], true), {
    code: 'data',
    message: /no roles/,
  });
  const blind = '{% for m in messages %}{{ m.role }}{% endfor %}';
  const look = [{ role: 'user', content: '<image>' }] as const;
  assert.throws(() => encodePromptWithTemplate(tokenizer, blind, look, [2]), {
    code: 'data',
    message: /one <\|image_pad\|> for each of 1 images, came 0/,
  });
  assert.equal(defaultSystemOf(blind), '');
});
