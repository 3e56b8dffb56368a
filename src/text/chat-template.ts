// Conversations to ids and training targets in Qwen's ChatML. The one function that says how many
// tokens a sample has: encodeChat(...).ids.length.

import { OneVisionError } from '../core/errors.ts';
import { QWEN_SYSTEM } from './chat-template-source.ts';
import {
  findControlToken,
  IM_END,
  IM_START,
  IMAGE_MARK,
  IMAGE_PAD,
  VIDEO_MARK,
  VIDEO_PAD,
  VISION_END,
  VISION_START,
} from './special-tokens.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * One turn; `<image>` in the content stands for the next image, and `<video>` for the next video
 * where the conversation has videos (otherwise it is text).
 */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatOptions {
  /** System prompt when there is none: undefined = the tokenizer's own, '' = none. */
  readonly defaultSystem?: string | undefined;
  /** Tokens of each video, in order; default none. */
  readonly videoTokens?: readonly number[];
}

export interface EncodedChat {
  /** [tokens] */
  readonly ids: Int32Array;
  /** [tokens] the id to be predicted at each position (the next one), or −100. */
  readonly targets: Int32Array;
}

export interface RenderOptions extends ChatOptions {
  /** End with the opening of an assistant turn. */
  readonly addGenerationPrompt?: boolean;
  /** Image tokens of each image, in order; undefined writes one `<|image_pad|>` an image. */
  readonly imageTokens?: readonly number[];
}

/** No target at this position. */
export const NO_TARGET = -100;

/**
 * Ids and targets of a whole conversation. Every turn is tokenised once, as the template renders
 * it, so the ids equal those of `tokenizer.encode(renderChat(...))`. Targets are the tokens of
 * each assistant reply (those that hold at least one byte of it) and its `<|im_end|>`.
 * @param imageTokens tokens of each image, in order (`countImageTokens(...).tokens`).
 * @throws OneVisionError 'data' when images and `<image>` marks differ in number, when a message
 * holds a control token, or when there is no message.
 */
export function encodeChat(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  imageTokens: readonly number[],
  options: ChatOptions = {},
): EncodedChat {
  const builder = createBuilder(tokenizer, imageTokens, options.videoTokens);
  for (const message of prepare(messages, imageTokens, options, tokenizer.defaultSystem)) {
    builder.turn(message);
  }
  return builder.finish();
}

/**
 * Ids of a conversation that waits for a reply: ends with `<|im_start|>assistant\n`.
 * @throws OneVisionError 'data' as `encodeChat`.
 */
export function encodePrompt(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  imageTokens: readonly number[],
  options: ChatOptions = {},
): Int32Array {
  const builder = createBuilder(tokenizer, imageTokens, options.videoTokens);
  for (const message of prepare(messages, imageTokens, options, tokenizer.defaultSystem)) {
    builder.turn(message);
  }
  builder.open('assistant');
  return builder.finish().ids;
}

/**
 * The conversation as the model reads it, for people and for tests.
 * Here `defaultSystem` undefined means Qwen's.
 */
export function renderChat(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
  const { imageTokens, videoTokens = [] } = options;
  let [image, video] = [0, 0];
  const turns = prepare(messages, imageTokens, options, QWEN_SYSTEM).map((message) => {
    const pieces = splitAtMedia(message.content, videoTokens.length > 0).map((piece) => {
      if (piece === IMAGE_MARK) {
        return VISION_START + IMAGE_PAD.repeat(imageTokens?.[image++] ?? 1) + VISION_END;
      }
      if (piece !== VIDEO_MARK || videoTokens.length === 0) return piece;
      return VISION_START + VIDEO_PAD.repeat(videoTokens[video++] ?? 1) + VISION_END;
    });
    const content = pieces.join('');
    return `${IM_START}${message.role}\n${content}${IM_END}\n`;
  });
  if (options.addGenerationPrompt === true) turns.push(`${IM_START}assistant\n`);
  return turns.join('');
}

/** Check the messages and put the default system prompt before them where there is none. */
function prepare(
  messages: readonly ChatMessage[],
  imageTokens: readonly number[] | undefined,
  options: ChatOptions,
  fallback: string,
): readonly ChatMessage[] {
  checkConversation(messages, imageTokens, options.videoTokens);
  const content = options.defaultSystem ?? fallback;
  if (messages[0]?.role === 'system' || content === '') return messages;
  return [{ role: 'system', content }, ...messages];
}

/**
 * Refuses what no template may get.
 * @throws OneVisionError 'data' for no message, a control token in one, or marks that are more or
 * fewer than the media.
 */
export function checkConversation(
  messages: readonly ChatMessage[],
  imageTokens: readonly number[] | undefined,
  videoTokens: readonly number[] = [],
): void {
  if (messages.length === 0) {
    throw new OneVisionError('data', 'expected a conversation of at least one message, came none', {
      hint: 'drop the sample, or give it a user message',
    });
  }
  messages.forEach((message, index) => {
    const token = findControlToken(message.content);
    if (token !== undefined) throw controlTokenError(token, message, index);
  });
  if (imageTokens !== undefined) checkMarks(messages, IMAGE_MARK, imageTokens.length, 'image');
  if (videoTokens.length > 0) checkMarks(messages, VIDEO_MARK, videoTokens.length, 'video');
}

function checkMarks(
  messages: readonly ChatMessage[],
  mark: string,
  expected: number,
  what: string,
): void {
  const marks = messages.reduce((sum, { content }) => sum + content.split(mark).length - 1, 0);
  if (marks === expected) return;
  throw new OneVisionError(
    'data',
    `expected one ${mark} in the messages for each ${what}, ` +
      `came ${marks} marks and ${expected} ${what}s`,
    { hint: `write ${mark} once for every ${what}, in order, and nowhere else` },
  );
}

/** A text cut at its marks, which stay as pieces of their own. */
export function splitAtMedia(content: string, hasVideos: boolean): string[] {
  return content.split(hasVideos ? /(<image>|<video>)/ : /(<image>)/);
}

function controlTokenError(token: string, message: ChatMessage, index: number): OneVisionError {
  return new OneVisionError(
    'data',
    `expected plain text in message ${index} (${message.role}), came the control token ${token}`,
    { hint: `remove the token; images are written ${IMAGE_MARK}` },
  );
}

interface ChatBuilder {
  turn(message: ChatMessage): void;
  open(role: ChatMessage['role']): void;
  finish(): EncodedChat;
}

/** Collects ids and, for each, whether the model is to learn it. */
function createBuilder(
  tokenizer: Tokenizer,
  imageTokens: readonly number[],
  videoTokens: readonly number[] = [],
): ChatBuilder {
  const ids: number[] = [];
  const learned: boolean[] = [];
  let [image, video] = [0, 0];
  const special = tokenizer.ids;
  const push = (id: number, learn: boolean): void => {
    ids.push(id);
    learned.push(learn);
  };
  /** The tokens that lie wholly in the first `headBytes` bytes are not learned. */
  const text = (piece: string, headBytes: number, learn: boolean): void => {
    let end = 0;
    for (const id of tokenizer.encode(piece)) {
      end += tokenizer.byteLength(id);
      push(id, learn && end > headBytes);
    }
  };
  const media = (pad: number, count: number): void => {
    push(special.visionStart, false);
    for (let i = 0; i < count; i++) push(pad, false);
    push(special.visionEnd, false);
  };
  return {
    turn: ({ role, content }) => {
      const learn = role === 'assistant';
      const head = `${role}\n`;
      push(special.imStart, false);
      splitAtMedia(content, videoTokens.length > 0).forEach((piece, index) => {
        // Texts and marks alternate, so that a mark never stands at an even place.
        if (index === 0) text(head + piece, head.length, learn);
        else if (piece === '') return;
        else if (index % 2 === 0) text(piece, 0, learn);
        else if (piece === IMAGE_MARK) media(special.imagePad, imageTokens[image++] ?? 0);
        else media(special.videoPad, videoTokens[video++] ?? 0);
      });
      push(special.imEnd, learn);
      text('\n', 0, false);
    },
    open: (role) => {
      push(special.imStart, false);
      text(`${role}\n`, 0, false);
    },
    finish: () => ({
      ids: Int32Array.from(ids),
      targets: Int32Array.from(ids, (_, i) =>
        learned[i + 1] === true ? (ids[i + 1] ?? NO_TARGET) : NO_TARGET,
      ),
    }),
  };
}
