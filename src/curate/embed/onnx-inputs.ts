// What goes into an exported CLIP or SigLIP: pixels as its preprocessor_config.json says, and token
// ids as its tokenizer does. No model here.

import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import * as z from 'zod';
import { readJson } from '../../core/files.ts';
import { decodeImage } from '../../image/decode.ts';
import type { RgbImage } from '../../image/pixels.ts';
import { resizeImage } from '../../image/resize.ts';

const sideSchema = z.union([
  z.number().int().positive(),
  z.object({ shortest_edge: z.number().int().positive() }),
  z.object({ height: z.number().int().positive(), width: z.number().int().positive() }),
]);
const threeSchema = z.array(z.number()).length(3);
const imageSchema = z.looseObject({
  size: sideSchema,
  crop_size: sideSchema.optional(),
  do_center_crop: z.boolean().optional(),
  image_mean: threeSchema,
  image_std: threeSchema,
  rescale_factor: z.number().optional(),
});

/** Larger pictures are refused before they are decoded, as in a survey. */
const MAX_PIXELS = 50_000_000;

export interface PixelInput {
  readonly width: number;
  readonly height: number;
  /** Encoded picture → [3, height, width]. */
  read(bytes: Uint8Array): Promise<Float32Array>;
}

/** @throws OneVisionError 'data' for a missing or foreign preprocessor_config.json. */
export function openPixelInput(folder: string): PixelInput {
  const config = readJson(join(folder, 'preprocessor_config.json'), imageSchema);
  const { size, image_mean: mean, image_std: std, rescale_factor: scale = 1 / 255 } = config;
  const crops = config.do_center_crop !== false && config.crop_size !== undefined;
  const [width, height] = sidesOf(crops ? (config.crop_size ?? size) : size);
  const read = async (bytes: Uint8Array): Promise<Float32Array> => {
    const image = await decodeImage(bytes, { maxPixels: MAX_PIXELS });
    const shaped = await resize(image, size);
    const out = new Float32Array(3 * width * height);
    const [left, top] = [
      Math.floor((shaped.width - width) / 2),
      Math.floor((shaped.height - height) / 2),
    ];
    for (let channel = 0; channel < 3; channel++) {
      const [shift, divide] = [mean[channel] ?? 0, std[channel] ?? 1];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const inside =
            y + top >= 0 && y + top < shaped.height && x + left >= 0 && x + left < shaped.width;
          const at = 3 * ((y + top) * shaped.width + x + left) + channel;
          const value = inside ? (shaped.data[at] ?? 0) : 0;
          out[(channel * height + y) * width + x] = (value * scale - shift) / divide;
        }
      }
    }
    return out;
  };
  return { width, height, read };
}

type Side = z.infer<typeof sideSchema>;

function sidesOf(side: Side): [width: number, height: number] {
  if (typeof side === 'number') return [side, side];
  if ('shortest_edge' in side) return [side.shortest_edge, side.shortest_edge];
  return [side.width, side.height];
}

/** The shortest side to a length, or both to theirs. */
function resize(image: RgbImage, size: Side): Promise<RgbImage> {
  if (typeof size === 'object' && 'height' in size)
    return resizeImage(image, size.width, size.height);
  const short = typeof size === 'number' ? size : size.shortest_edge;
  const [width, height] =
    image.width <= image.height
      ? [short, Math.trunc((short * image.height) / image.width)]
      : [Math.trunc((short * image.width) / image.height), short];
  return resizeImage(image, width, height);
}

const specialSchema = z.union([z.string(), z.object({ content: z.string() })]).optional();
const textSchema = z.looseObject({
  model_max_length: z.number().positive(),
  pad_token: specialSchema,
  unk_token: specialSchema,
});
const MAX_LENGTH = 512;

export interface TextInput {
  readonly length: number;
  /** Texts → ids and mask, both [texts, length], padded at the right. */
  encode(texts: readonly string[]): { readonly ids: BigInt64Array; readonly mask: BigInt64Array };
}

/** @throws OneVisionError 'data' for missing or foreign tokenizer files. */
export function openTextInput(folder: string): TextInput {
  const json = readJson(join(folder, 'tokenizer.json'), z.looseObject({}));
  const config = readJson(join(folder, 'tokenizer_config.json'), textSchema);
  const tokenizer = new Tokenizer(json, config);
  const length = Math.min(MAX_LENGTH, config.model_max_length);
  const idOf = (token: z.infer<typeof specialSchema>): bigint => {
    const text = typeof token === 'object' ? token.content : token;
    return BigInt(text === undefined ? 0 : (tokenizer.token_to_id(text) ?? 0));
  };
  const [pad, unknown] = [idOf(config.pad_token), idOf(config.unk_token)];
  return {
    length,
    encode: (texts) => {
      const ids = new BigInt64Array(texts.length * length).fill(pad);
      const mask = new BigInt64Array(texts.length * length);
      for (const [row, text] of texts.entries()) {
        // The library leaves a gap for a word that a word-level vocabulary lacks.
        const all: readonly (number | undefined)[] = tokenizer.encode(text).ids;
        // A text that is too long keeps its last token, which ends it.
        const kept = all.length <= length ? all : [...all.slice(0, length - 1), all.at(-1)];
        for (const [i, id] of kept.entries()) {
          ids[row * length + i] = id === undefined ? unknown : BigInt(id);
          mask[row * length + i] = 1n;
        }
      }
      return { ids, mask };
    },
  };
}
