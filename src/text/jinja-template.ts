// A checkpoint's own chat template, rendered by Jinja: slower than chat-template.ts and open to every
// template. Where both say the same (a test proves it for ours), use the fast path.

import { OneVisionError } from '../core/errors.ts';
import { type ChatMessage, type ChatOptions, splitAtMedia } from './chat-template.ts';
import { renderTemplate } from './render-template.ts';
import { IMAGE_MARK, IMAGE_PAD, VIDEO_MARK, VIDEO_PAD } from './special-tokens.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A piece of a message as chat templates take it. */
type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' }
  | { readonly type: 'video' };

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
  const hasVideos = videoTokens.length > 0;
  const given = messages.map(({ role, content }) => ({
    role,
    content: toParts(content, hasVideos),
  }));
  const text = renderTemplate(source, given, true);
  const images = repeatPads(text, IMAGE_PAD, imageTokens, 'images');
  return tokenizer.encode(repeatPads(images, VIDEO_PAD, videoTokens, 'videos'));
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
