// A checkpoint's own chat template, rendered by Jinja: slower than chat-template.ts and open to every
// template. Where both write the same, prompts take the typed path.

import { OneVisionError } from '../core/errors.ts';
import {
  type ChatMessage,
  type ChatOptions,
  checkConversation,
  encodePrompt,
  renderChat,
  splitAtMedia,
} from './chat-template.ts';
import { defaultSystemOf, renderTemplate } from './render-template.ts';
import { IMAGE_MARK, IMAGE_PAD, VIDEO_MARK, VIDEO_PAD } from './special-tokens.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A piece of a message as chat templates take it. */
type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' }
  | { readonly type: 'video' };

/**
 * Ids of a conversation that waits for a reply, as the tokenizer's own chat template writes it: by
 * the typed path where that says the same, else through Jinja.
 * @throws OneVisionError 'data' as `encodePrompt` and `encodePromptWithTemplate`.
 */
export function encodeReplyPrompt(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  imageTokens: readonly number[],
  options: ChatOptions = {},
): Int32Array {
  const foreign = foreignTemplate(tokenizer);
  if (foreign === undefined) return encodePrompt(tokenizer, messages, imageTokens, options);
  return encodePromptWithTemplate(tokenizer, foreign, messages, imageTokens, options);
}

/** Conversations that tell templates apart. The last ones hold pictures. */
const TEXT_PROBES: readonly (readonly ChatMessage[])[] = [
  [{ role: 'user', content: 'one' }],
  [
    { role: 'system', content: 'two' },
    { role: 'user', content: 'three' },
    { role: 'assistant', content: 'four' },
    { role: 'user', content: 'five' },
  ],
];
const IMAGE_PROBE: readonly ChatMessage[] = [
  { role: 'user', content: '<image>one<image>' },
  { role: 'assistant', content: 'two' },
  { role: 'user', content: 'three<image>' },
];

const known = new WeakMap<Tokenizer, { readonly foreign: string | undefined }>();

/**
 * The tokenizer's chat template where the typed path does not write what it writes; undefined where
 * it does, where there is none, and where it asks for more than messages. A template of text alone
 * (Qwen3's) leaves pictures to the typed path.
 */
export function foreignTemplate(tokenizer: Tokenizer): string | undefined {
  const { chatTemplate } = tokenizer;
  if (chatTemplate === undefined) return undefined;
  let entry = known.get(tokenizer);
  if (entry === undefined) {
    entry = { foreign: isTyped(chatTemplate) ? undefined : chatTemplate };
    known.set(tokenizer, entry);
  }
  return entry.foreign;
}

/** Whether a template writes the probes as the typed path, with the system prompt it brings. */
function isTyped(source: string): boolean {
  try {
    const options = { defaultSystem: defaultSystemOf(source), addGenerationPrompt: true };
    for (const probe of TEXT_PROBES) {
      if (renderTemplate(source, probe, true) !== renderChat(probe, options)) return false;
    }
    const text = renderTemplate(source, toGiven(IMAGE_PROBE, false), true);
    return !text.includes(IMAGE_PAD) || text === renderChat(IMAGE_PROBE, options);
  } catch {
    return true;
  }
}

/**
 * Ids of a conversation that waits for a reply, through a template. Content with marks goes in as
 * parts, so that templates of vision models see their images; each `<|image_pad|>` and
 * `<|video_pad|>` they write is repeated as often as the media have tokens.
 * @throws OneVisionError 'data' where the template fails or writes other numbers of media.
 */
export function encodePromptWithTemplate(
  tokenizer: Tokenizer,
  source: string,
  messages: readonly ChatMessage[],
  imageTokens: readonly number[],
  { videoTokens = [] }: ChatOptions = {},
): Int32Array {
  checkConversation(messages, imageTokens, videoTokens);
  const text = renderTemplate(source, toGiven(messages, videoTokens.length > 0), true);
  const images = repeatPads(text, IMAGE_PAD, imageTokens, 'images');
  return tokenizer.encode(repeatPads(images, VIDEO_PAD, videoTokens, 'videos'));
}

/** Messages as templates take them. */
function toGiven(messages: readonly ChatMessage[], hasVideos: boolean): object[] {
  return messages.map(({ role, content }) => ({ role, content: toParts(content, hasVideos) }));
}

/** Text alone stays a string; with marks it becomes parts. */
function toParts(content: string, hasVideos: boolean): string | Part[] {
  const pieces = splitAtMedia(content, hasVideos);
  if (pieces.length === 1) return content;
  return pieces
    .filter((piece) => piece !== '')
    .map((piece): Part => {
      if (piece === IMAGE_MARK) return { type: 'image' };
      if (piece === VIDEO_MARK && hasVideos) return { type: 'video' };
      return { type: 'text', text: piece };
    });
}

function repeatPads(text: string, pad: string, counts: readonly number[], what: string): string {
  const pieces = text.split(pad);
  if (pieces.length - 1 !== counts.length) {
    throw new OneVisionError(
      'data',
      `expected the chat template to write one ${pad} for each of ${counts.length} ${what}, ` +
        `came ${pieces.length - 1}`,
      { hint: 'use the template of a model that reads pictures, and one mark for every picture' },
    );
  }
  return pieces.map((piece, i) => (i === 0 ? '' : pad.repeat(counts[i - 1] ?? 0)) + piece).join('');
}
