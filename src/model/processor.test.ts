// Pictures and videos in conversations: order, counts, and every way they can be wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { SMALL, smallModel } from '../../test/support/model.ts';
import { type ProcessorConfig, QWEN_PROCESSOR } from '../image/config.ts';
import { tidy } from '../tensor/index.ts';
import type { ChatMessage } from '../text/chat-template.ts';
import { createTokenizer } from '../text/tokenizer.ts';
import { trainTokenizer } from '../text/train-bpe.ts';
import { makeBatch } from './batch.ts';
import { generate } from './generate.ts';
import { vocabularyOf } from './presets.ts';
import { type Processor, prepareChat, preparePrompt } from './processor.ts';

const tokenizer = createTokenizer(trainTokenizer(['a red fox', 'a red fox', 'the owl'], 300));
/** Patches of 2 × 2, 4 × 4 pixels a token, pictures as they are up to 64 pixels. */
const image: ProcessorConfig = {
  ...QWEN_PROCESSOR,
  patchSize: 2,
  minPixels: 16,
  maxPixels: 64,
};
const processor: Processor = { tokenizer, image };

function picture(width: number, height: number, background = '#d03020'): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

const ask = (content: string): ChatMessage[] => [{ role: 'user', content }];
const count = (ids: Int32Array, id: number): number => ids.filter((other) => other === id).length;

test('images and videos keep the order of their marks; a video is one block of frames', async () => {
  const images = [await picture(8, 4), await picture(4, 8)];
  const frames = [await picture(4, 4), await picture(4, 4, '#fff'), await picture(5, 4)];
  const messages = ask('<image>what<video>and<image>?');
  const prompt = await preparePrompt(processor, { messages, images, videos: [frames] });
  const shapes = prompt.images.map(({ frames = 1, gridH, gridW }) => [frames, gridH, gridW]);
  assert.deepEqual(shapes, [
    [1, 2, 4],
    [3, 4, 4],
    [1, 4, 2],
  ]);
  assert.equal(count(prompt.inputIds, tokenizer.ids.imagePad), 4);
  assert.equal(count(prompt.inputIds, tokenizer.ids.videoPad), 12);
  assert.deepEqual([...makeBatch([prompt]).grids], shapes.flat());
  const chat = await prepareChat(processor, {
    messages: [...messages, { role: 'assistant', content: 'a fox' }],
    images,
    videos: [frames],
  });
  assert.deepEqual(chat.inputIds.subarray(0, prompt.inputIds.length), prompt.inputIds);
});

test('the model sees a frame as it sees an image: features of a video are those of its frames', async () => {
  const ids = vocabularyOf(tokenizer);
  const { vocabSize, ...tokens } = ids;
  const config = { ...SMALL, ...tokens, text: { ...SMALL.text, vocabSize } };
  using model = smallModel({ config });
  const frames = [await picture(8, 8), await picture(8, 8, '#20c0f0')];
  const video = await preparePrompt(processor, {
    messages: ask('<video>'),
    images: [],
    videos: [frames],
  });
  const asImages = video.inputIds.map((id) => (id === ids.videoTokenId ? ids.imageTokenId : id));
  const one = await Promise.all(
    frames.map((bytes) => preparePrompt(processor, { messages: ask('<image>'), images: [bytes] })),
  );
  const images = one.flatMap((prompt) => prompt.images);
  tidy(() => {
    const features = [video, { inputIds: asImages, images }].map((segment) =>
      model.features(makeBatch([segment])).toNumbers(),
    );
    assert.deepEqual(features[0], features[1]);
  });
  const options = { maxNewTokens: 3, stopIds: [] };
  assert.equal(generate(model, [video], options)[0]?.ids.length, 3);
});

test('more marks than pictures, fewer, and videos likewise', async () => {
  const one = await picture(8, 8);
  const fails = (content: string, numImages: number, numVideos: number, message: RegExp) =>
    assert.rejects(
      preparePrompt(processor, {
        messages: ask(content),
        images: new Array(numImages).fill(one),
        videos: new Array(numVideos).fill([one]),
      }),
      { code: 'data', message, hint: /once for every (image|video), in order/ },
    );
  await fails('<image><image>', 1, 0, /2 marks and 1 images/);
  await fails('<image>', 2, 0, /1 marks and 2 images/);
  await fails('no mark', 1, 0, /0 marks and 1 images/);
  await fails('<image>', 0, 0, /1 marks and 0 images/);
  await fails('<video><video>', 0, 1, /2 marks and 1 videos/);
  const text = await preparePrompt(processor, { messages: ask('a <video> tag'), images: [] });
  assert.match(tokenizer.decode(text.inputIds), /a <video> tag/);
});

test('pictures that are too narrow, empty or damaged; videos without a frame', async () => {
  const messages = ask('<image>');
  const fails = (bytes: Uint8Array, message: RegExp, hint: RegExp) =>
    assert.rejects(preparePrompt(processor, { messages, images: [bytes] }), {
      code: 'data',
      message,
      hint,
    });
  await fails(await picture(804, 4), /at most 200-fold, came 4 × 804.*ratio 201/, /crop the image/);
  await fails(new Uint8Array(), /came 0 bytes that do not decode/, /damaged or of another kind/);
  const header = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAAAAAAACAIAAAD/gAIDAAAAAElFTkSuQmCC',
    'base64',
  );
  await fails(header, /expected the bytes of an image/, /damaged or of another kind/);
  const empty = { messages: ask('<video>'), images: [], videos: [[]] };
  await assert.rejects(preparePrompt(processor, empty), {
    code: 'data',
    message: /at least one frame/,
  });
});
