// From a conversation and its pictures to a segment the model reads, and the processor's file.
// The pixels' work is in src/image, the text's in src/text; this joins them.

import * as path from 'node:path';
import * as z from 'zod';
import { readJson, writeFileAtomic } from '../core/files.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { type Patches, processImage } from '../image/patchify.ts';
import { processVideo } from '../image/video.ts';
import { type ChatMessage, encodeChat, splitAtMedia } from '../text/chat-template.ts';
import { encodeReplyPrompt } from '../text/jinja-template.ts';
import { IMAGE_MARK, VIDEO_MARK } from '../text/special-tokens.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Segment } from './batch.ts';

/** Tokenizer and image settings that belong to one model. */
export interface Processor {
  readonly tokenizer: Tokenizer;
  readonly image: ProcessorConfig;
}

/** A conversation and its pictures, each kind in order of its marks `<image>` and `<video>`. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Encoded pictures. */
  readonly images: readonly Uint8Array[];
  /** Encoded frames of each video. */
  readonly videos?: readonly (readonly Uint8Array[])[];
}

/**
 * A conversation whose replies are targets, for training and scoring.
 * @throws OneVisionError 'data' for a picture or text that cannot be used.
 */
export async function prepareChat(
  { tokenizer, image }: Processor,
  conversation: Conversation,
): Promise<Segment> {
  const { images, imageTokens, videoTokens } = await processMedia(conversation, image);
  const { messages } = conversation;
  const { ids, targets } = encodeChat(tokenizer, messages, imageTokens, { videoTokens });
  return { inputIds: ids, targets, images };
}

/**
 * A conversation that ends where the assistant is to speak, for `generate`.
 * @throws OneVisionError 'data' for a picture or text that cannot be used.
 */
export async function preparePrompt(
  { tokenizer, image }: Processor,
  conversation: Conversation,
): Promise<Segment> {
  const { images, imageTokens, videoTokens } = await processMedia(conversation, image);
  const { messages } = conversation;
  const inputIds = encodeReplyPrompt(tokenizer, messages, imageTokens, { videoTokens });
  return { inputIds, images };
}

/** Everything seen, in the order of its tokens, and how many tokens each piece takes. */
interface Media {
  readonly images: readonly Patches[];
  readonly imageTokens: readonly number[];
  readonly videoTokens: readonly number[];
}

/** One by one: each image keeps its own size. */
async function processMedia(
  { messages, images, videos = [] }: Conversation,
  config: ProcessorConfig,
): Promise<Media> {
  const pictures = await Promise.all(images.map((bytes) => processImage(bytes, config)));
  const films = await Promise.all(videos.map((frames) => processVideo(frames, config)));
  const numTokens = ({ frames = 1, gridH, gridW }: Patches): number =>
    (frames * gridH * gridW) / config.mergeSize ** 2;
  const next = { [IMAGE_MARK]: pictures.values(), [VIDEO_MARK]: films.values() };
  const seen = messages
    .flatMap(({ content }) => splitAtMedia(content, films.length > 0))
    .filter((piece) => piece === IMAGE_MARK || (piece === VIDEO_MARK && films.length > 0))
    .map((mark) => next[mark as keyof typeof next].next().value);
  return {
    images: seen.filter((patches) => patches !== undefined),
    imageTokens: pictures.map(numTokens),
    videoTokens: films.map(numTokens),
  };
}

const FILE = 'preprocessor_config.json';
const rgb = z.tuple([z.number(), z.number(), z.number()]);
const fileSchema = z.looseObject({
  patch_size: z.int().positive(),
  merge_size: z.int().positive(),
  min_pixels: z.int().positive(),
  max_pixels: z.int().positive(),
  image_mean: rgb,
  image_std: rgb,
});

/** Write preprocessor_config.json as Hugging Face's Qwen2VLImageProcessor has it. */
export async function saveProcessorConfig(folder: string, config: ProcessorConfig): Promise<void> {
  const json = {
    image_processor_type: 'Qwen2VLImageProcessor',
    patch_size: config.patchSize,
    merge_size: config.mergeSize,
    temporal_patch_size: 1,
    min_pixels: config.minPixels,
    max_pixels: config.maxPixels,
    image_mean: config.mean,
    image_std: config.std,
    do_resize: true,
    do_rescale: true,
    do_normalize: true,
    do_convert_rgb: true,
    resample: 3,
    rescale_factor: 1 / 255,
  };
  await writeFileAtomic(path.join(folder, FILE), `${JSON.stringify(json, null, 2)}\n`);
}

/** Read preprocessor_config.json. @throws OneVisionError 'checkpoint' if missing or unfit. */
export function loadProcessorConfig(folder: string): ProcessorConfig {
  const json = readJson(path.join(folder, FILE), fileSchema, 'checkpoint');
  return {
    patchSize: json.patch_size,
    mergeSize: json.merge_size,
    minPixels: json.min_pixels,
    maxPixels: json.max_pixels,
    mean: json.image_mean,
    std: json.image_std,
  };
}
