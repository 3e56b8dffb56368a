// A model as a Hugging Face folder: config.json, safetensors in one or several files, processor,
// tokenizer. Reads every key form in use, writes the released one. Not optimizer state.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { ensureFolder, readJson, writeFileAtomic } from '../core/files.ts';
import type { ProcessorConfig } from '../image/config.ts';
import type { ParameterSource } from '../nn/module.ts';
import { int8Weights } from '../nn/quantise.ts';
import { type DType, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type LazyTensor, lazyOf } from '../tensor/storage/stored-tensor.ts';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { copyCompanions } from './checkpoint/companions.ts';
import { compareWeights, mostCommonType } from './checkpoint/compare.ts';
import { configFromHuggingFace } from './checkpoint/read-config.ts';
import { writeWeights } from './checkpoint/shards.ts';
import { isStack, openWeights, type StoredWeights, stack, unstack } from './checkpoint/weights.ts';
import { configToHuggingFace } from './checkpoint/write-config.ts';
import type { OneVisionConfig } from './config.ts';
import { OneVision } from './onevision.ts';
import { loadProcessorConfig, type Processor, saveProcessorConfig } from './processor.ts';

const CONFIG = 'config.json';

export interface LoadOptions {
  /** Default: as stored. */
  readonly dtype?: DType;
  /** Default: cpu. */
  readonly device?: string;
  /**
   * Leave weights that need no change in the mapped file, read when touched. False: memory of
   * their own, for training. Default true.
   */
  readonly mapped?: boolean;
  /** Round linear layers, experts and a tied head to int8 while read; only to generate and score. */
  readonly weights?: 'int8';
  /** The class-token fault of the released remote code, for parity with it only. */
  readonly hfCompatMultiImage?: boolean;
}

/** What stands beside the weights: made anew, or carried along from the model's own folder. */
export type SaveCompanions =
  | { readonly tokenizer: Tokenizer; readonly image: ProcessorConfig }
  | { readonly from: string };

export interface SaveOptions {
  /** Largest file; default 5 GB. */
  readonly maxShardBytes?: number;
}

/**
 * Write a folder that other tools open as it is. Each file appears whole or not at all; the
 * weights come last, so a folder with weights is complete.
 * @throws OneVisionError 'disk'.
 */
export async function saveCheckpoint(
  folder: string,
  model: OneVision,
  companions: SaveCompanions,
  options: SaveOptions = {},
): Promise<void> {
  await saveSurroundings(folder, model, companions);
  await writeWeights(folder, weightsOf(model), options.maxShardBytes);
}

/** All of a folder but the weights. */
export async function saveSurroundings(
  folder: string,
  { config, dtype }: Pick<OneVision, 'config' | 'dtype'>,
  companions: SaveCompanions,
): Promise<void> {
  ensureFolder(folder);
  if ('from' in companions) await copyCompanions(companions.from, folder);
  else await saveCompanions(folder, config, companions);
  const base = 'from' in companions ? path.join(companions.from, CONFIG) : '';
  await saveConfig(folder, config, dtype, base);
}

/** The weights of a model by their names on disk. */
export function weightsOf(model: OneVision): Map<string, LazyTensor> {
  const parameters = [...model.namedParameters()];
  return new Map(parameters.flatMap(([name, tensor]) => unstack(name, lazyOf(tensor))));
}

/**
 * Write config.json.
 * @param base an older config.json whose other keys are kept; its bytes, where nothing changes.
 */
export async function saveConfig(
  folder: string,
  config: OneVisionConfig,
  dtype: DType,
  base = '',
): Promise<void> {
  const text = fs.existsSync(base) ? fs.readFileSync(base, 'utf8') : undefined;
  const old: unknown = text === undefined ? undefined : JSON.parse(text);
  const json = configToHuggingFace(config, dtype, old);
  const isSame = text !== undefined && JSON.stringify(json) === JSON.stringify(old);
  const written = isSame ? text : `${JSON.stringify(json, null, 2)}\n`;
  await writeFileAtomic(path.join(folder, CONFIG), written);
}

async function saveCompanions(
  folder: string,
  { eosTokenId, padTokenId }: OneVisionConfig,
  { tokenizer, image }: Exclude<SaveCompanions, { from: string }>,
): Promise<void> {
  const generation = {
    bos_token_id: padTokenId,
    do_sample: false,
    eos_token_id: [eosTokenId, padTokenId],
    pad_token_id: padTokenId,
  };
  const json = `${JSON.stringify(generation, null, 2)}\n`;
  await writeFileAtomic(path.join(folder, 'generation_config.json'), json);
  await saveProcessorConfig(folder, image);
  await tokenizer.save(folder);
}

/** Open a model folder with everything that a conversation needs. */
export function loadCheckpoint(
  folder: string,
  options: LoadOptions = {},
): { readonly model: OneVision; readonly processor: Processor } {
  const image = loadProcessorConfig(folder);
  const tokenizer = loadTokenizer(folder);
  return { model: loadModel(folder, options), processor: { tokenizer, image } };
}

/** The sizes of a folder's model. @throws OneVisionError 'checkpoint'. */
export function loadConfig(folder: string): OneVisionConfig {
  const file = path.join(folder, CONFIG);
  return configFromHuggingFace(readJson(file, z.unknown(), 'checkpoint'), file);
}

/**
 * Open the model of a folder. Weights are memory-mapped; what has to change its type or device is
 * streamed there in pieces. There is never more than one copy of them in memory.
 * @throws OneVisionError 'checkpoint' listing the first ten missing, unexpected, misshapen and
 * mistyped tensors, or naming the damaged file.
 */
export function loadModel(folder: string, options: LoadOptions = {}): OneVision {
  const config = withFault(loadConfig(folder), options.hfCompatMultiImage === true);
  using weights = openWeights(folder);
  compareWeights(weights, shapesOf(config), {
    mayBeThere: config.text.tieEmbeddings ? ['lm_head.weight'] : [],
    mixedTypes: options.dtype !== undefined,
  });
  const source = loadedParameters(weights, options);
  return noGrad(() => {
    if (options.weights !== 'int8') return new OneVision(config, source);
    return new OneVision(config, int8Weights(source, { tiedHead: config.text.tieEmbeddings }));
  });
}

function withFault(config: OneVisionConfig, hfCompatMultiImage: boolean): OneVisionConfig {
  return hfCompatMultiImage
    ? { ...config, vision: { ...config.vision, hfCompatMultiImage } }
    : config;
}

/** Names on disk and shapes that a config asks for, without making a weight. */
export function shapesOf(config: OneVisionConfig): ReadonlyMap<string, readonly number[]> {
  return tidy(() => {
    const make = (shape: readonly number[]): Tensor => ops.expand(ops.zeros([1]), shape);
    using model = new OneVision(config, (_name, shape) => make(shape));
    return new Map([...weightsOf(model)].map(([name, { shape }]) => [name, shape]));
  });
}

function loadedParameters({ tensors }: StoredWeights, options: LoadOptions): ParameterSource {
  const { dtype = mostCommonType(tensors) ?? 'float32', device = 'cpu', mapped } = options;
  const read = (name: string, stays = mapped): Tensor => {
    const stored = tensors.get(name);
    if (stored === undefined) throw new RangeError(`expected ${name} among the weights`);
    return stored.read({ dtype, device, mapped: stays });
  };
  return (name, shape) => {
    if (!isStack(name, shape)) return read(name);
    return stack(name, shape, (part) => read(part, false), { dtype, device });
  };
}
