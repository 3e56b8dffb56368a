// A model as a Hugging Face folder: config.json, safetensors in one or several files, processor,
// tokenizer. Reads both key forms in use, writes the released one. Not optimizer state.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, readJson, writeFileAtomic } from '../core/files.ts';
import type { ProcessorConfig } from '../image/config.ts';
import type { ParameterSource } from '../nn/module.ts';
import { type DType, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { openSafetensors, type SafetensorsFile, saveSafetensors } from '../tensor/safetensors.ts';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { configFromHuggingFace, configToHuggingFace } from './config.ts';
import { OneVision } from './onevision.ts';
import { loadProcessorConfig, type Processor, saveProcessorConfig } from './processor.ts';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const MOST_SHOWN = 10;

export interface LoadOptions {
  /** Default: as stored. */
  readonly dtype?: DType;
  /** Default: cpu. */
  readonly device?: string;
}

/**
 * Write a folder that other tools open as it is. Each file appears whole or not at all; the
 * weights come last, so a folder with weights is complete.
 * @throws OneVisionError 'disk'.
 */
export async function saveCheckpoint(
  folder: string,
  model: OneVision,
  { tokenizer, image }: { readonly tokenizer: Tokenizer; readonly image: ProcessorConfig },
): Promise<void> {
  ensureFolder(folder);
  const writeJson = (name: string, value: object): Promise<void> =>
    writeFileAtomic(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  const { eosTokenId, padTokenId } = model.config;
  await writeJson('config.json', configToHuggingFace(model.config, model.dtype));
  await writeJson('generation_config.json', {
    bos_token_id: padTokenId,
    do_sample: false,
    eos_token_id: [eosTokenId, padTokenId],
    pad_token_id: padTokenId,
  });
  await saveProcessorConfig(folder, image);
  await tokenizer.save(folder);
  const tensors = Object.fromEntries(model.namedParameters());
  await saveSafetensors(path.join(folder, WEIGHTS), tensors, { format: 'pt' });
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

/**
 * Open the model of a folder. Weights are memory-mapped; what has the right type and device is
 * not copied.
 * @throws OneVisionError 'checkpoint' listing the first ten missing, unexpected and misshapen
 * tensors, or naming the damaged file.
 */
export function loadModel(folder: string, options: LoadOptions = {}): OneVision {
  const file = path.join(folder, 'config.json');
  const config = configFromHuggingFace(readJson(file, z.unknown(), 'checkpoint'), file);
  const weights = openWeights(folder);
  try {
    const wanted = collectShapes(config);
    compareKeys(weights, wanted, folder);
    return noGrad(() => new OneVision(config, loadedParameters(weights, options)));
  } finally {
    for (const open of weights.files) open.close();
  }
}

/** The stored tensors of a folder by their released names. */
interface StoredWeights {
  readonly files: readonly SafetensorsFile[];
  /** Released name → file and name inside it. */
  readonly where: ReadonlyMap<string, { readonly file: SafetensorsFile; readonly name: string }>;
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

function openWeights(folder: string): StoredWeights {
  const index = path.join(folder, INDEX);
  const names = fs.existsSync(index)
    ? [...new Set(Object.values(readJson(index, indexSchema, 'checkpoint').weight_map))].sort()
    : [WEIGHTS];
  const files = names.map((name) => openSafetensors(path.join(folder, name)));
  const where = new Map<string, { file: SafetensorsFile; name: string }>();
  for (const file of files) {
    for (const name of file.names) {
      const released = releasedName(name);
      if (!released.endsWith('.inv_freq')) where.set(released, { file, name });
    }
  }
  return { files, where };
}

/**
 * The released (on-disk) name of a tensor stored under either form: `model.visual.*` is
 * `visual.*`, `model.language_model.*` is `model.*`.
 */
export function releasedName(name: string): string {
  if (name.startsWith('model.visual.')) return name.slice('model.'.length);
  return name.replace(/^model\.language_model\./, 'model.');
}

/** Names and shapes a config asks for, without making a weight. */
function collectShapes(config: OneVision['config']): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  tidy(() => {
    using _model = new OneVision(config, (name, shape) => {
      shapes.set(name, shape);
      return ops.expand(ops.zeros([1]), shape);
    });
  });
  return shapes;
}

function compareKeys(
  weights: StoredWeights,
  wanted: ReadonlyMap<string, readonly number[]>,
  folder: string,
): void {
  const differences: string[] = [];
  for (const [name, shape] of wanted) {
    const stored = weights.where.get(name);
    if (stored === undefined) {
      differences.push(`missing: ${name} [${shape}]`);
      continue;
    }
    const came = stored.file.shape(stored.name);
    if (came.join() !== shape.join()) {
      differences.push(`misshapen: ${name} is [${came}], expected [${shape}]`);
    }
  }
  const isTied = !wanted.has('lm_head.weight');
  for (const name of weights.where.keys()) {
    if (!wanted.has(name) && !(isTied && name === 'lm_head.weight')) {
      differences.push(`unexpected: ${name}`);
    }
  }
  if (differences.length === 0) return;
  const more = differences.length - MOST_SHOWN;
  throw new OneVisionError(
    'checkpoint',
    `expected in ${folder} the ${wanted.size} tensors that its config.json asks for, ` +
      `came ${differences.length} differences:\n  ` +
      differences.slice(0, MOST_SHOWN).join('\n  ') +
      (more > 0 ? `\n  … and ${more} more` : ''),
    { hint: 'check that config.json and the weights are of the same model' },
  );
}

function loadedParameters(weights: StoredWeights, options: LoadOptions): ParameterSource {
  return (name): Tensor => {
    const stored = weights.where.get(name);
    if (stored === undefined) throw new RangeError(`expected ${name} among the weights`);
    const tensor = stored.file.tensor(stored.name);
    const { dtype = tensor.dtype, device = tensor.device } = options;
    if (dtype === tensor.dtype && device === tensor.device) return tensor;
    const copy = ops.toCopy(tensor, { dtype, device });
    tensor.dispose();
    return copy;
  };
}
