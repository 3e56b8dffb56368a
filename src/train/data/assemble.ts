// From a pack on disk to the arrays of a forward pass: tokens, targets, pixels. Pure in
// (pack, visit, settings), so it gives the same bytes in any thread and after any resume.

import { OneVisionError } from '../../core/errors.ts';
import { createRandom } from '../../core/hash.ts';
import { type AugmentSettings, augment } from '../../image/augment/augment.ts';
import type { ProcessorConfig } from '../../image/config.ts';
import { decodeImage } from '../../image/decode.ts';
import { type Patches, patchify } from '../../image/patchify.ts';
import type { RgbImage } from '../../image/pixels.ts';
import { resizeImage } from '../../image/resize.ts';
import { smartResize } from '../../image/smart-resize.ts';
import type { Pack, PackedSample } from '../../pack/record.ts';
import { type EncodedChat, encodeChat } from '../../text/chat-template.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { LruCache } from './lru.ts';
import {
  type AssembledPack,
  type EncodedSample,
  joinSamples,
  type LossWeighting,
} from './segments.ts';

export interface AssembleSettings {
  readonly processor: ProcessorConfig;
  readonly lossWeighting: LossWeighting;
  /** By source; `*` stands for every other source. */
  readonly augment: Readonly<Record<string, AugmentSettings>>;
  readonly seed: number;
  readonly imageCacheMiB: number;
}

/** Tokenised chats kept, counted in tokens. */
const TEXT_CACHE_TOKENS = 4_000_000;

/** Assembles packs; keeps decoded images and tokenised chats for the next visit. */
export class Assembler {
  readonly #tokenizer: Tokenizer;
  readonly #settings: AssembleSettings;
  readonly #images: LruCache<RgbImage>;
  readonly #texts: LruCache<EncodedChat> = new LruCache(TEXT_CACHE_TOKENS);

  constructor(tokenizer: Tokenizer, settings: AssembleSettings) {
    this.#tokenizer = tokenizer;
    this.#settings = settings;
    this.#images = new LruCache(settings.imageCacheMiB * 1024 * 1024);
  }

  /**
   * Assembles a pack for its `visit`-th time. A sample that cannot be read is left out and listed
   * in `skipped` with the reason; the rest of the pack is trained on.
   */
  async assemble(pack: Pack, visit: number): Promise<AssembledPack> {
    const skipped: { uid: string; reason: string }[] = [];
    const segments = await Promise.all(
      pack.samples.map(async (sample) => {
        try {
          return await this.#segment(sample, visit);
        } catch (error) {
          if (!(error instanceof OneVisionError) || error.code !== 'data') throw error;
          skipped.push({ uid: sample.uid, reason: error.message });
          return undefined;
        }
      }),
    );
    const kept = segments.filter((segment) => segment !== undefined);
    return joinSamples(pack.key, kept, skipped, this.#settings.lossWeighting);
  }

  async #segment(sample: PackedSample, visit: number): Promise<EncodedSample> {
    const images = await Promise.all(
      sample.images.map(async (_, index) => this.#pixels(sample, index, visit)),
    );
    const merge = this.#settings.processor.mergeSize ** 2;
    const text = this.#text(
      sample,
      images.map((image) => (image.gridH * image.gridW) / merge),
    );
    if (text.ids.length !== sample.tokens) {
      throw new OneVisionError(
        'data',
        `expected ${sample.tokens} tokens of ${sample.uid} as planned, came ${text.ids.length}`,
        {
          hint: 'the header of an image lies about its size, or the tokenizer changed: pack again',
        },
      );
    }
    const { uid, source } = sample;
    return { uid, source, inputIds: text.ids, targets: text.targets, images };
  }

  #text(sample: PackedSample, imageTokens: readonly number[]): EncodedChat {
    const cached = this.#texts.get(sample.uid);
    if (cached !== undefined) return cached;
    const encoded = encodeChat(this.#tokenizer, sample.messages, imageTokens);
    this.#texts.set(sample.uid, encoded, encoded.ids.length);
    return encoded;
  }

  async #pixels(sample: PackedSample, index: number, visit: number): Promise<Patches> {
    const { augment: bySource, processor, seed } = this.#settings;
    const image = await this.#image(sample, index);
    const settings = bySource[sample.source] ?? bySource['*'];
    if (settings === undefined) return patchify(image, processor);
    const flip = sample.meta['noFlip'] === true ? 0 : settings.flip;
    const random = createRandom('augment', seed, sample.uid, sample.copy, visit, index);
    return patchify(augment(image, random, { ...settings, flip }), processor);
  }

  /** An image at the size the model sees, from the cache or decoded. */
  async #image(sample: PackedSample, index: number): Promise<RgbImage> {
    const key = `${sample.uid}/${index}`;
    const cached = this.#images.get(key);
    if (cached !== undefined) return cached;
    const bytes = sample.images[index]?.bytes ?? new Uint8Array();
    const decoded = await decodeImage(bytes);
    const size = smartResize(decoded.height, decoded.width, this.#settings.processor);
    const image = await resizeImage(decoded, size.width, size.height);
    this.#images.set(key, image, image.data.byteLength);
    return image;
  }
}
