// From a conversation and its pictures to a segment the model reads, and the processor's file.
// The pixels' work is in src/image, the text's in src/text; this joins them.

import * as path from 'node:path';
import * as z from 'zod';
import { readJson, writeFileAtomic } from '../core/files.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { type Patches, processImage } from '../image/patchify.ts';
import { type ChatMessage, encodeChat, encodePrompt } from '../text/chat-template.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Segment } from './batch.ts';

/** Tokenizer and image settings that belong to one model. */
export interface Processor {
  readonly tokenizer: Tokenizer;
  readonly image: ProcessorConfig;
}

/** A conversation; `images` are encoded pictures in order of their `<image>` marks. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  readonly images: readonly Uint8Array[];
}

/**
 * A conversation whose replies are targets, for training and scoring.
 * @throws OneVisionError 'data' for a picture or text that cannot be used.
 */
export async function prepareChat(
  { tokenizer, image }: Processor,
  { messages, images }: Conversation,
): Promise<Segment> {
  const patches = await processAll(images, image);
  const { ids, targets } = encodeChat(tokenizer, messages, imageTokens(patches, image));
  return { inputIds: ids, targets, images: patches };
}

/**
 * A conversation that ends where the assistant is to speak, for `generate`.
 * @throws OneVisionError 'data' for a picture or text that cannot be used.
 */
export async function preparePrompt(
  { tokenizer, image }: Processor,
  { messages, images }: Conversation,
): Promise<Segment> {
  const patches = await processAll(images, image);
  const inputIds = encodePrompt(tokenizer, messages, imageTokens(patches, image));
  return { inputIds, images: patches };
}

/** One by one: each image keeps its own size. */
function processAll(images: readonly Uint8Array[], config: ProcessorConfig): Promise<Patches[]> {
  return Promise.all(images.map((bytes) => processImage(bytes, config)));
}

function imageTokens(patches: readonly Patches[], { mergeSize }: ProcessorConfig): number[] {
  return patches.map(({ gridH, gridW }) => (gridH * gridW) / mergeSize ** 2);
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
