// The work behind `onevision convert`: opens what is given, writes a model folder, says what it did.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, readJson, writeFileAtomic } from '../core/files.ts';
import { log } from '../core/log.ts';
import { QWEN_PROCESSOR } from '../image/config.ts';
import { copyCompanions } from '../model/checkpoint/companions.ts';
import { mostCommonType } from '../model/checkpoint/compare.ts';
import { sizeBytes, writeWeights } from '../model/checkpoint/shards.ts';
import { openWeights } from '../model/checkpoint/weights.ts';
import { loadConfig, saveConfig } from '../model/checkpoint.ts';
import { withAverages } from '../model/convert/ema.ts';
import { describeModel, type ModelInfo } from '../model/convert/info.ts';
import { mergeAdapter } from '../model/convert/lora.ts';
import { fromMegatron, openMegatron, saveMegatron } from '../model/convert/megatron.ts';
import { mergeModels } from '../model/convert/merge.ts';
import { vocabularyOf } from '../model/presets.ts';
import { saveProcessorConfig } from '../model/processor.ts';
import type { LazyTensor } from '../tensor/storage/stored-tensor.ts';
import { loadTokenizer } from '../text/tokenizer.ts';

type Tensors = ReadonlyMap<string, LazyTensor>;

export interface MergeArguments {
  readonly vision: string;
  readonly decoder: string;
  readonly projector?: string | undefined;
  readonly processor?: string | undefined;
  readonly output: string;
  readonly seed: number;
}

/** Stage 0: RICE-ViT and Qwen3 become a model that can be trained. */
export async function convertMerge(options: MergeArguments): Promise<void> {
  const { vision, decoder, projector, processor = decoder, output: out, seed } = options;
  refuseInPlace(out, [vision, decoder, processor]);
  const { vocabSize: _own, ...ids } = vocabularyOf(loadTokenizer(processor));
  using merged = mergeModels({ vision, decoder, projector }, { seed, ids });
  await copyCompanions(processor, out);
  await saveImageSettings(out);
  await saveConfig(out, merged.config, merged.dtype);
  await writeWeights(out, merged.tensors);
  report(out, merged.tensors);
}

const preprocessor = z.looseObject({ patch_size: z.int(), merge_size: z.int() });

/** The original's settings: one frame at a time, at most 1600 · 1600 pixels. */
async function saveImageSettings(out: string): Promise<void> {
  const file = join(out, 'preprocessor_config.json');
  if (!existsSync(file)) return saveProcessorConfig(out, QWEN_PROCESSOR);
  const json = {
    ...readJson(file, preprocessor, 'checkpoint'),
    temporal_patch_size: 1,
    max_pixels: QWEN_PROCESSOR.maxPixels,
  };
  await writeFileAtomic(file, `${JSON.stringify(json, null, 2)}\n`);
}

/** Megatron → model folder, with config and companions of a folder like it. */
export async function convertFromMegatron(from: string, like: string, out: string): Promise<void> {
  refuseInPlace(out, [from, like]);
  const config = loadConfig(like);
  using checkpoint = openMegatron(from);
  const tensors = fromMegatron(checkpoint.tensors, config, checkpoint.path);
  await copyCompanions(like, out);
  const dtype = mostCommonType(tensors) ?? 'bfloat16';
  await saveConfig(out, config, dtype, join(like, 'config.json'));
  await writeWeights(out, tensors);
  report(out, tensors);
}

/** Model folder → Megatron. */
export async function convertToMegatron(from: string, out: string): Promise<void> {
  refuseInPlace(out, [from]);
  using weights = openWeights(from);
  await saveMegatron(out, weights.tensors, loadConfig(from));
  report(out, weights.tensors);
}

/** Base and adapter → model folder. */
export async function convertLora(base: string, adapter: string, out: string): Promise<void> {
  refuseInPlace(out, [base, adapter]);
  using weights = openWeights(base);
  using merged = mergeAdapter(weights.tensors, adapter);
  await copyCompanions(base, out);
  const dtype = mostCommonType(merged.tensors) ?? 'bfloat16';
  await saveConfig(out, loadConfig(base), dtype, join(base, 'config.json'));
  await writeWeights(out, merged.tensors);
  log.info(`changed ${merged.numChanged} weights`);
  report(out, merged.tensors);
}

/** A checkpoint → a model folder of its moving average. */
export async function convertEma(checkpoint: string, out: string): Promise<void> {
  refuseInPlace(out, [checkpoint]);
  using weights = openWeights(checkpoint);
  using averaged = withAverages(weights.tensors, checkpoint);
  await copyCompanions(checkpoint, out);
  const dtype = mostCommonType(averaged.tensors) ?? 'bfloat16';
  await saveConfig(out, loadConfig(checkpoint), dtype, join(checkpoint, 'config.json'));
  await writeWeights(out, averaged.tensors);
  log.info(`took ${averaged.numChanged} averages`);
  report(out, averaged.tensors);
}

export function printInfo(folder: string, json: boolean): void {
  const info = describeModel(folder);
  console.log(json ? JSON.stringify(info, null, 2) : formatInfo(info));
}

function formatInfo({ parts, total, numFiles, dtypes, numActive }: ModelInfo): string {
  const lines = [...parts, total].map(({ part, numTensors, numParameters, bytes }) => {
    const count = numParameters.toLocaleString('en').padStart(16);
    const size = `${(bytes / 2 ** 30).toFixed(2)} GiB`.padStart(12);
    return `${part.padEnd(14)}${String(numTensors).padStart(7)}${count}${size}`;
  });
  const active =
    numActive === total.numParameters
      ? []
      : [`${'for a token'.padEnd(21)}${numActive.toLocaleString('en').padStart(16)}`];
  const head = `${'part'.padEnd(14)}tensors${'parameters'.padStart(16)}${'size'.padStart(12)}`;
  return [head, ...lines, ...active, `${numFiles} files, ${dtypes.join(', ')}`].join('\n');
}

/** The sources are read while the result is written. */
function refuseInPlace(out: string, sources: readonly string[]): void {
  ensureFolder(out);
  if (!sources.includes(out)) return;
  throw new OneVisionError('usage', `Expected another folder than ${out} for the result.`, {
    hint: 'give --output a new folder: the sources are read while it is written',
  });
}

function report(out: string, tensors: Tensors): void {
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + sizeBytes(tensor), 0);
  log.info(`wrote ${tensors.size} tensors, ${(bytes / 2 ** 30).toFixed(2)} GiB, to ${out}`);
}
