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
  VISION_END,
  VISION_START,
} from './special-tokens.ts';
import type { Tokenizer } from './tokenizer.ts';

/** One turn; `<image>` in the content stands for the next image. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatOptions {
  /** System prompt when there is none: undefined = the tokenizer's own, '' = none. */
  readonly defaultSystem?: string | undefined;
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
  const builder = createBuilder(tokenizer, imageTokens);
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
  const builder = createBuilder(tokenizer, imageTokens);
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
  let image = 0;
  const count = (): number => options.imageTokens?.[image++] ?? 1;
  const turns = prepare(messages, options.imageTokens, options, QWEN_SYSTEM).map((message) => {
    const content = message.content.replaceAll(
      IMAGE_MARK,
      () => VISION_START + IMAGE_PAD.repeat(count()) + VISION_END,
    );
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
  const first = messages[0];
  if (first === undefined) {
    throw new OneVisionError('data', 'expected a conversation of at least one message, came none', {
      hint: 'drop the sample, or give it a user message',
    });
  }
  let marks = 0;
  messages.forEach((message, index) => {
    const token = findControlToken(message.content);
    if (token !== undefined) throw controlTokenError(token, message, index);
    marks += message.content.split(IMAGE_MARK).length - 1;
  });
  if (imageTokens !== undefined && marks !== imageTokens.length) {
    throw new OneVisionError(
      'data',
      `expected one ${IMAGE_MARK} in the messages for each image, ` +
        `came ${marks} marks and ${imageTokens.length} images`,
      { hint: `write ${IMAGE_MARK} once for every image, in order, and nowhere else` },
    );
  }
  const content = options.defaultSystem ?? fallback;
  if (first.role === 'system' || content === '') return messages;
  return [{ role: 'system', content }, ...messages];
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
function createBuilder(tokenizer: Tokenizer, imageTokens: readonly number[]): ChatBuilder {
  const ids: number[] = [];
  const learned: boolean[] = [];
  let image = 0;
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
  const picture = (): void => {
    push(special.visionStart, false);
    const count = imageTokens[image++] ?? 0;
    for (let i = 0; i < count; i++) push(special.imagePad, false);
    push(special.visionEnd, false);
  };
  return {
    turn: ({ role, content }) => {
      const learn = role === 'assistant';
      const head = `${role}\n`;
      push(special.imStart, false);
      content.split(IMAGE_MARK).forEach((piece, index) => {
        if (index > 0) picture();
        if (index === 0) text(head + piece, head.length, learn);
        else if (piece !== '') text(piece, 0, learn);
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
