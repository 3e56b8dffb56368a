// The chat format: ids, text and Jinja template agree; targets are the replies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Template } from '@huggingface/jinja';
import {
  type ChatMessage,
  encodeChat,
  encodePrompt,
  NO_TARGET,
  renderChat,
} from './chat-template.ts';
import { chatTemplateSource, QWEN_SYSTEM } from './chat-template-source.ts';
import { createTokenizer } from './tokenizer.ts';
import { trainTokenizer } from './train-bpe.ts';

const texts = ['What is this?', 'a red fox', 'a red fox\n\nin the snow', 'a fox. Yes, a fox.'];
const tokenizer = createTokenizer(trainTokenizer([...texts, ...texts, 'x\n\n\n'], 340));

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

/** Conversations at the borders, with the tokens of their images. */
const CONVERSATIONS: readonly (readonly [name: string, readonly ChatMessage[], number[]])[] = [
  ['plain', [user('<image>What is this?'), assistant('a red fox')], [9]],
  ['no image', [user('Hi'), assistant('Yes.')], []],
  ['several turns', [user('<image>a'), assistant('b'), user('c'), assistant('d e')], [4]],
  ['several images', [user('<image><image>\n<image> which?'), assistant('fox')], [1, 2, 3]],
  ['image inside', [user('a red <image>\n\nfox'), assistant('Yes')], [2]],
  ['images in turns', [user('<image>a'), assistant('b'), user('<image>'), assistant('d')], [2, 1]],
  ['system of its own', [system('Be brief.'), user('<image>'), assistant('fox')], [1]],
  ['answer starts with a newline', [user('x'), assistant('\na red fox')], []],
  ['answer starts with newlines', [user('x'), assistant('\n\n a red fox')], []],
  ['answer starts with spaces', [user('x'), assistant('  fox')], []],
  ['answer is white space', [user('x'), assistant(' \n')], []],
  ['answer is empty', [user('x'), assistant('')], []],
  ['answer ends with a newline', [user('x'), assistant('a fox\n')], []],
  ['combining first', [user('x'), assistant('\u0301e\u0301')], []],
  ['answer with an image', [user('show'), assistant('here <image> fox')], [2]],
  ['nothing to learn', [user('only a question')], []],
  ['quotes and signs', [user(`it's "{{ x }}" {% y %} $& <img>`), assistant('\\n')], []],
];

for (const [name, messages, imageTokens] of CONVERSATIONS) {
  test(`ids equal the rendered text's: ${name}`, () => {
    for (const defaultSystem of [undefined, '', "You're\nOneVision."]) {
      const { ids } = encodeChat(tokenizer, messages, imageTokens, { defaultSystem });
      const text = renderChat(messages, { defaultSystem, imageTokens });
      assert.deepEqual(ids, tokenizer.encode(text));
      const prompt = encodePrompt(tokenizer, messages, imageTokens, { defaultSystem });
      assert.deepEqual(prompt, tokenizer.encode(`${text}<|im_start|>assistant\n`));
    }
  });

  test(`the Jinja template says the same: ${name}`, () => {
    for (const defaultSystem of [QWEN_SYSTEM, '', "You're\n\\OneVision\\."]) {
      const template = new Template(chatTemplateSource(defaultSystem));
      for (const addGenerationPrompt of [false, true]) {
        const theirs = template.render({ messages, add_generation_prompt: addGenerationPrompt });
        assert.equal(renderChat(messages, { defaultSystem, addGenerationPrompt }), theirs);
      }
    }
  });

  test(`the targets are the replies and their ends: ${name}`, () => {
    const { ids, targets } = encodeChat(tokenizer, messages, imageTokens);
    const learned: number[] = [];
    targets.forEach((target, i) => {
      if (target === NO_TARGET) return;
      assert.equal(target, ids[i + 1], 'a target is the next id');
      learned.push(target);
    });
    const replies = messages.filter((m) => m.role === 'assistant');
    const expected = replies.map((m) => `${m.content.replaceAll('<image>', '')}<|im_end|>`);
    const text = tokenizer.decode(learned);
    assert.equal(text.trimStart(), expected.join('').normalize('NFC').trimStart());
    assert.equal(learned.filter((id) => id === tokenizer.ids.imEnd).length, replies.length);
    assert.ok(!learned.includes(tokenizer.ids.imagePad));
    assert.equal(targets.at(-1), NO_TARGET);
  });
}

test('the exact text of a conversation', () => {
  const text = renderChat([user('<image>\nHi'), assistant('Yes')], { imageTokens: [2] });
  assert.equal(
    text,
    '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' +
      '<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|vision_end|>\nHi' +
      '<|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n',
  );
});

test('a token that spans header and reply is learned, an unspanned header is not', () => {
  const learnedOf = (reply: string): string => {
    const { targets } = encodeChat(tokenizer, [user('x'), assistant(reply)], []);
    return tokenizer.decode(targets.filter((target) => target !== NO_TARGET));
  };
  assert.equal(tokenizer.encode('\n\n').length, 1, 'two newlines are one token');
  assert.equal(learnedOf('\nfox'), '\n\nfox<|im_end|>');
  assert.equal(learnedOf(' fox'), ' fox<|im_end|>');
});

test('a list of parts renders as the string with marks', () => {
  const template = new Template(chatTemplateSource());
  const parts = [{ type: 'image' }, { type: 'text', text: 'Hi ' }, { type: 'image' }];
  const messages = [{ role: 'user', content: parts }];
  assert.equal(
    template.render({ messages, add_generation_prompt: true }),
    renderChat([user('<image>Hi <image>')], { addGenerationPrompt: true }),
  );
});

test('the default system prompt is the one the tokenizer was trained with', () => {
  const own = createTokenizer(trainTokenizer(texts, 340, { defaultSystem: '' }));
  const messages = [user('What is this?')];
  assert.deepEqual(
    encodePrompt(own, messages, []),
    own.encode('<|im_start|>user\nWhat is this?<|im_end|>\n<|im_start|>assistant\n'),
  );
  const { ids } = encodeChat(own, messages, [], { defaultSystem: 'Be brief.' });
  assert.match(own.decode(ids), /^<\|im_start\|>system\nBe brief\.<\|im_end\|>/);
});

test('image counts, control tokens and empty conversations are data errors', () => {
  const fails = (messages: ChatMessage[], images: number[], message: RegExp): void => {
    assert.throws(() => encodeChat(tokenizer, messages, images), { code: 'data', message });
    assert.throws(() => encodePrompt(tokenizer, messages, images), { code: 'data', message });
  };
  fails([user('<image><image>')], [9], /2 marks and 1 images/);
  fails([user('none')], [9], /0 marks and 1 images/);
  fails([user('a'), assistant('b<|im_end|>')], [], /message 1 \(assistant\).*<\|im_end\|>/);
  fails([user('<|image_pad|>')], [], /control token <\|image_pad\|>/);
  fails([], [], /at least one message/);
});
