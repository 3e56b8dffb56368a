// From the conversations of data sets (OpenAI messages, Qwen content parts, LLaVA turns, captions)
// to ours. Every refusal is an Error whose message is the reason for the ledger.
import type { Message } from '../../sample.ts';
import { type Fields, field } from './fields.ts';

/** A conversation and the images that its content parts name, in order. */
export interface Conversation {
  readonly messages: readonly Message[];
  readonly imageRefs: readonly unknown[];
}

const ROLES: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  chatgpt: 'assistant',
};
const MAX_CHARS = 1_000_000;
const MAX_TURNS = 1000;
const IMAGE = '<image>';

/**
 * The conversation of a row, its `<image>` marks equal to its images. Marks are added in front of
 * the first user turn when there is not one in the whole conversation.
 *
 * @param numImages images that the row holds beside the conversation.
 */
export function conversationOf(fields: Fields, numImages: number): Conversation {
  const turns = field(fields, 'messages') ?? field(fields, 'conversations') ?? turnsOf(fields);
  const found = turns === undefined ? captionTurns(fields, numImages) : readTurns(turns);
  const total = numImages > 0 ? numImages : found.imageRefs.length;
  const messages = withMarks(found.messages, total);
  check(messages);
  return { messages, imageRefs: numImages > 0 ? [] : found.imageRefs };
}

/** Some keep their turns under `texts`, where others keep several captions. */
function turnsOf(fields: Fields): unknown {
  const value = field(fields, 'caption');
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  const isTurn = typeof first === 'object' && first !== null && 'role' in first;
  return isTurn ? value : undefined;
}

function captionTurns(fields: Fields, numImages: number): Conversation {
  const value = field(fields, 'caption');
  if (value === undefined) throw new Error('no caption, messages or conversations');
  const caption = Array.isArray(value) ? firstText(value) : value;
  if (typeof caption !== 'string') throw new Error('the caption is not a text');
  if (caption.trim() === '') throw new Error('the caption is empty');
  if (numImages === 0) throw new Error('no image');
  return {
    messages: [
      { role: 'user', content: IMAGE.repeat(numImages) },
      { role: 'assistant', content: caption.trim().replaceAll(IMAGE, ' ') },
    ],
    imageRefs: [],
  };
}

/** Of several captions the first; a pair is [kind, text]. */
function firstText(list: readonly unknown[]): unknown {
  const texts = list.map((item) => (Array.isArray(item) ? item.at(-1) : item));
  return texts.find((text) => typeof text === 'string' && text.trim() !== '');
}

function readTurns(value: unknown): Conversation {
  const list: unknown = typeof value === 'string' ? parseText(value) : value;
  if (!Array.isArray(list) || list.length === 0) throw new Error('the conversation is empty');
  if (list.length > MAX_TURNS) throw new Error(`more than ${MAX_TURNS} turns`);
  const imageRefs: unknown[] = [];
  const messages = list.map((turn: unknown): Message => {
    if (typeof turn !== 'object' || turn === null) throw new Error('a turn is not an object');
    const { role, from, content, value: text } = turn as Record<string, unknown>;
    const name = ROLES[String(role ?? from ?? '').toLowerCase()];
    if (name === undefined) throw new Error('the role of a turn is unknown');
    return { role: name, content: readContent(content ?? text, imageRefs) };
  });
  return { messages, imageRefs };
}

/** Conversations in parquet are often JSON in a text column. */
function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the conversation does not parse');
  }
}

function readContent(content: unknown, imageRefs: unknown[]): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw new Error('a turn has no text');
  return content
    .map((part: unknown) => {
      if (typeof part === 'string') return part;
      if (typeof part !== 'object' || part === null) throw new Error('a content part is no object');
      const { type, text, image, image_url: url } = part as Record<string, unknown>;
      if (type === 'text' && typeof text === 'string') return text;
      if (type !== 'image' && type !== 'image_url') {
        throw new Error('a content part is neither text nor image');
      }
      if ((image ?? url ?? undefined) !== undefined) imageRefs.push(image ?? url);
      return IMAGE;
    })
    .join('');
}

function withMarks(messages: readonly Message[], numImages: number): Message[] {
  const numMarks = messages.reduce((sum, { content }) => sum + countMarks(content), 0);
  if (numMarks === numImages) return [...messages];
  if (numImages === 0) throw new Error('no image');
  if (numMarks > 0) throw new Error(`${numMarks} <image> marks for ${numImages} images`);
  const first = messages.findIndex(({ role }) => role === 'user');
  if (first < 0) throw new Error('no user turn to show the images in');
  return messages.map((message, i) =>
    i === first
      ? { ...message, content: `${IMAGE.repeat(numImages)}\n${message.content}` }
      : message,
  );
}

/** How many images a text stands for. */
export function countMarks(text: string): number {
  return text.split(IMAGE).length - 1;
}

function check(messages: readonly Message[]): void {
  if (!messages.some(({ role, content }) => role === 'assistant' && content.trim() !== '')) {
    throw new Error('no assistant turn says anything');
  }
  let numChars = 0;
  for (const { content } of messages) {
    numChars += content.length;
    if (content.includes('\0')) throw new Error('a text has NUL characters');
    if (!content.isWellFormed()) throw new Error('a text is not well-formed Unicode');
  }
  if (numChars > MAX_CHARS) throw new Error(`a text of ${numChars} characters`);
}
