// The control tokens of Qwen's chat format. Their ids belong to a tokenizer, not to this file.

export const IM_START = '<|im_start|>';
export const IM_END = '<|im_end|>';
export const END_OF_TEXT = '<|endoftext|>';
export const VISION_START = '<|vision_start|>';
export const VISION_END = '<|vision_end|>';
export const IMAGE_PAD = '<|image_pad|>';
export const VIDEO_PAD = '<|video_pad|>';

/** What stands for the next image in the text of a message. */
export const IMAGE_MARK = '<image>';
/** What stands for the next video, in conversations that bring videos. */
export const VIDEO_MARK = '<video>';

/** All control tokens in the order of their ids in a tokenizer that we train. */
export const SPECIAL_TOKENS: readonly string[] = [
  END_OF_TEXT,
  IM_START,
  IM_END,
  VISION_START,
  VISION_END,
  IMAGE_PAD,
  VIDEO_PAD,
];

/** The ids of the control tokens in one tokenizer. */
export interface SpecialIds {
  readonly imStart: number;
  readonly imEnd: number;
  readonly endOfText: number;
  readonly visionStart: number;
  readonly visionEnd: number;
  readonly imagePad: number;
  readonly videoPad: number;
}

/** The first control token in a text, or undefined: data must not bring its own. */
export function findControlToken(text: string): string | undefined {
  if (!text.includes('<|')) return undefined;
  return SPECIAL_TOKENS.find((token) => text.includes(token));
}
