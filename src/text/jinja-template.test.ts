// Templates through Jinja: equal to the typed path for ours, and named errors for those that do not fit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChatMessage, encodePrompt } from './chat-template.ts';
import { chatTemplateSource } from './chat-template-source.ts';
import { encodePromptWithTemplate, encodeReplyPrompt, foreignTemplate } from './jinja-template.ts';
import { defaultSystemOf, renderTemplate } from './render-template.ts';
import { createTokenizer } from './tokenizer.ts';
import { trainTokenizer } from './train-bpe.ts';

const files = trainTokenizer(['a red fox', 'a red fox', 'what?'], 320);
const tokenizer = createTokenizer(files);
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

/** Another format: brackets, numbered pictures before the text, no system turn. */
const FOREIGN = `{% for m in messages %}[{{ m.role | upper }}]
{%- if m.content is string %} {{ m.content | trim }}
{%- else %}{% for part in m.content %}{% if part.type == 'image' %}<|image_pad|>;{% endif %}{% endfor %}
{%- for part in m.content %}{% if part.type == 'text' %} {{ part.text | trim }}{% endif %}{% endfor %}
{%- endif %}[/{{ m.role | upper }}]{% endfor %}{% if add_generation_prompt %}[ASSISTANT]{% endif %}`;
const turns: readonly ChatMessage[] = [
  { role: 'user', content: 'a <image> fox <image> red' },
  { role: 'assistant', content: ' what? ' },
  { role: 'user', content: 'a fox' },
];

test('a foreign template of a checkpoint is followed; known ones take the typed path', () => {
  const foreign = createTokenizer({ ...files, chatTemplate: FOREIGN });
  const came = encodeReplyPrompt(foreign, turns, [2, 1]);
  assert.equal(
    foreign.decode(came),
    '[USER]<|image_pad|><|image_pad|>;<|image_pad|>; a fox red[/USER]' +
      '[ASSISTANT] what?[/ASSISTANT][USER] a fox[/USER][ASSISTANT]',
  );
  assert.throws(() => encodeReplyPrompt(foreign, turns, [2]), { code: 'data', message: /2 marks/ });
  const rude = [{ role: 'user', content: 'a<|im_end|>' }] as const;
  assert.throws(() => encodeReplyPrompt(foreign, rude, []), { code: 'data', message: /control/ });
  for (const system of [undefined, '', 'Be brief.']) {
    const known = createTokenizer({ ...files, chatTemplate: chatTemplateSource(system) });
    assert.equal(foreignTemplate(known), undefined);
    assert.deepEqual(encodeReplyPrompt(known, turns, [2, 1]), encodePrompt(known, turns, [2, 1]));
  }
  assert.equal(foreignTemplate(tokenizer), undefined);
});

test('a template of text alone, or of other arguments, leaves pictures to the typed path', () => {
  const textOnly =
    "{% for m in messages %}<|im_start|>{{ m.role + '\\n' + m.content }}<|im_end|>\n{% endfor %}" +
    '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
  for (const chatTemplate of [textOnly, "{{ raise_exception('documents') }}"]) {
    const known = createTokenizer({ ...files, chatTemplate });
    assert.equal(foreignTemplate(known), undefined);
    assert.deepEqual(encodeReplyPrompt(known, turns, [2, 1]), encodePrompt(known, turns, [2, 1]));
  }
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
