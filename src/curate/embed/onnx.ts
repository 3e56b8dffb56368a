// An embedder from any CLIP or SigLIP exported to ONNX in two towers, as Hugging Face's tools write
// them: vision_model.onnx and text_model.onnx, beside the files of image processor and tokenizer.
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { sha256File } from '../../core/files.ts';
import { type Embedder, normaliseRows } from './embedder.ts';
import { openPixelInput, openTextInput } from './onnx-inputs.ts';
import {
  loadOnnxRuntime,
  type OnnxRuntime,
  type OnnxSession,
  type OnnxTensor,
} from './onnx-runtime.ts';

export interface OnnxOptions {
  /** Threads of one session; default: the runtime's choice. */
  readonly threads?: number;
  /** Package or file of onnxruntime-node; default: the package. */
  readonly runtime?: string;
  /** Pictures or texts in one run. */
  readonly batchSize?: number;
}

/** Outputs that hold the embedding, the best first. */
const IMAGE_OUTPUTS = ['image_embeds', 'pooler_output'];
const TEXT_OUTPUTS = ['text_embeds', 'pooler_output'];

/**
 * Open the two towers in a folder (or in its `onnx/`).
 * @throws OneVisionError 'usage' without onnxruntime-node, 'data' for files that are missing or
 * hold another kind of model.
 */
export async function openOnnxEmbedder(
  folder: string,
  options: OnnxOptions = {},
): Promise<Embedder> {
  const [vision, text] = [find(folder, 'vision_model.onnx'), find(folder, 'text_model.onnx')];
  const [pixels, words] = [openPixelInput(folder), openTextInput(folder)];
  const runtime = await loadOnnxRuntime(options.runtime);
  const { threads, batchSize = 32 } = options;
  const open = async (path: string): Promise<OnnxSession> => {
    const settings = threads === undefined ? {} : { intraOpNumThreads: threads };
    return runtime.InferenceSession.create(path, settings).catch((error: unknown) => {
      const what = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new OneVisionError('data', `expected an ONNX model at ${path}, came: ${what}`, {
        hint: 'export the model again, each tower as a file of its own',
        cause: error,
      });
    });
  };
  const [images, texts] = [await open(vision), await open(text)];
  const embedImages = async (batch: readonly Uint8Array[]): Promise<Float32Array> => {
    const planes = await Promise.all(batch.map((bytes) => pixels.read(bytes)));
    const data = concat(planes);
    const shape = [batch.length, 3, pixels.height, pixels.width];
    const feeds = { pixel_values: new runtime.Tensor('float32', data, shape) };
    return embeddingOf(await images.run(feeds), IMAGE_OUTPUTS, vision);
  };
  const embedTexts = async (batch: readonly string[]): Promise<Float32Array> => {
    const feeds = textFeeds(runtime, texts, words.encode(batch), [batch.length, words.length]);
    return embeddingOf(await texts.run(feeds), TEXT_OUTPUTS, text);
  };
  const [probe, hashes] = [
    await embedTexts(['a']),
    [await sha256File(vision), await sha256File(text)],
  ];
  const dim = probe.length;
  return {
    name: `onnx ${basename(resolve(folder))} ${hashes.map((hash) => hash.slice(0, 12)).join(' ')}`,
    dim,
    embedImages: (all) => inBatches(all, batchSize, dim, embedImages),
    embedTexts: (all) => inBatches(all, batchSize, dim, embedTexts),
    close: async () => {
      await images.release();
      await texts.release();
    },
  };
}

function find(folder: string, name: string): string {
  const found = [join(folder, name), join(folder, 'onnx', name)].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new OneVisionError('data', `expected ${name} in ${folder} or ${folder}/onnx`, {
    hint: 'export both towers with their projections, e.g. with optimum-cli export onnx',
  });
}

function textFeeds(
  runtime: OnnxRuntime,
  session: OnnxSession,
  { ids, mask }: { readonly ids: BigInt64Array; readonly mask: BigInt64Array },
  shape: readonly number[],
): Record<string, OnnxTensor> {
  const feeds: Record<string, OnnxTensor> = { input_ids: new runtime.Tensor('int64', ids, shape) };
  if (session.inputNames.includes('attention_mask')) {
    feeds['attention_mask'] = new runtime.Tensor('int64', mask, shape);
  }
  return feeds;
}

/** Rows of length 1. */
function embeddingOf(
  outputs: Readonly<Record<string, OnnxTensor>>,
  names: readonly string[],
  path: string,
): Float32Array {
  const found = names.map((name) => outputs[name]).find((output) => output !== undefined);
  if (found?.dims.length === 2 && found.data instanceof Float32Array) {
    return normaliseRows(found.data.slice(), found.dims[1] ?? 1);
  }
  throw new OneVisionError(
    'data',
    `expected an output ${names.join(' or ')} of two dimensions from ${path}, ` +
      `came ${Object.keys(outputs).join(', ')}`,
    { hint: 'export the tower with its projection' },
  );
}

async function inBatches<T>(
  all: readonly T[],
  size: number,
  dim: number,
  embed: (batch: readonly T[]) => Promise<Float32Array>,
): Promise<Float32Array> {
  const out = new Float32Array(all.length * dim);
  for (let at = 0; at < all.length; at += size) {
    out.set(await embed(all.slice(at, at + size)), at * dim);
  }
  return out;
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
