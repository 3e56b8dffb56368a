// A recipe: everything that decides what a run does, as one checked object. Each folder owns the
// settings of its part; this file only joins them.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { type SlurmConfig, type SlurmInput, slurmSchema } from './cluster/slurm/config.ts';
import { OneVisionError } from './core/errors.ts';
import { type CurateConfig, type CurateInput, curateSchema } from './curate/config.ts';
import { type ProcessorConfig, processorSchema } from './image/config.ts';
import { SIZE_NAMES, type SizeName } from './model/presets.ts';
import { type PackConfig, PackConfigSchema, type PackSettings } from './pack/config.ts';
import { type CorpusConfig, type CorpusInput, corpusSchema } from './sample/corpus/config.ts';
import { type SynthConfig, type SynthConfigInput, synthConfigSchema } from './synth/config.ts';
import { SINK_NAMES, type SinkName } from './track/sinks/sink.ts';
import { type TrainConfig, TrainConfigSchema, type TrainSettings } from './train/config.ts';
import type { PackSource } from './train/stage.ts';

/** Stages in the order they run; each starts from the weights of the one before. */
export const STAGES = ['align', 'mid-train', 'instruct'] as const;
export type StageName = (typeof STAGES)[number];

/**
 * A stretch of a stage: steps on packs of one mix, or on packs that others released. Several in a row
 * are a curriculum.
 */
interface Phase {
  /** Samples of each training set that one pass over the packs holds, by name of the set. */
  readonly mix?: Readonly<Record<string, number>> | undefined;
  /**
   * In the place of a mix: a folder of packs, ours or released ones such as LLaVA-558K-Webdataset, or
   * several of them with a weight, a number of epochs or a count of packs each.
   */
  readonly packs?: string | readonly PackSource[] | undefined;
  /** The one phase without a number takes the steps that are left. */
  readonly steps?: number | undefined;
}

/** A stage, with settings as they are written or with every default filled in. */
interface Stage<Train> {
  readonly phases: readonly Phase[];
  readonly train: Train;
}

/** The sizes of the tiny model; everything else follows from them. */
interface ModelSizes {
  /** Hidden size of tower and decoder. */
  readonly width: number;
  /** Head size of the decoder. */
  readonly headDim: number;
  readonly visionLayers: number;
  readonly textLayers: number;
}

/** A model to start from, in Hugging Face's layout: its weights, its sizes, its tokenizer. */
interface ModelFolder {
  readonly from: string;
  /** What `onevision plan` counts with while the folder is not there. */
  readonly sizes?: SizeName | undefined;
}

interface TokenizerSettings {
  readonly vocabSize: number;
  /** System prompt of conversations without one; '' for none. Default: Qwen's. */
  readonly defaultSystem?: string | undefined;
}

/** What the model is asked every so many steps; its answers go to `samples/` of the run. */
interface SampleSettings {
  /** Steps of the run. */
  readonly every: number;
  readonly prompts: readonly {
    readonly text: string;
    readonly images?: readonly string[] | undefined;
  }[];
  /** Default 64. */
  readonly maxNewTokens?: number | undefined;
}

/** A checked recipe. */
export interface Recipe {
  readonly name: string;
  /** Seeds the weights, the order of the packs and the augmentation. */
  readonly seed: number;
  /** Where the model is trained and asked: `cpu`, `cuda`, `cuda:1`, … */
  readonly device: string;
  readonly corpus: CorpusConfig;
  readonly curate: CurateConfig;
  readonly synth: SynthConfig;
  /** Of the tokenizer to be trained; with a model folder there is one already. */
  readonly tokenizer?: (TokenizerSettings & { readonly defaultSystem: string }) | undefined;
  readonly processor: ProcessorConfig;
  /** A tiny model from random weights, or a folder to start from. */
  readonly model: ModelSizes | ModelFolder;
  readonly pack: PackConfig;
  readonly stages: Readonly<Record<StageName, Stage<TrainConfig>>>;
  /** Names of the benchmarks that close the run. */
  readonly eval: readonly string[];
  /** What jobs ask of Slurm; options of the command line come before it. */
  readonly slurm?: SlurmConfig | undefined;
  /** Where metrics go beside metrics.jsonl. */
  readonly sinks: readonly SinkName[];
  readonly samples?: SampleSettings | undefined;
}

/** A recipe as it is written. What is left out takes its default. */
export interface RecipeInput {
  readonly name: string;
  readonly seed?: number | undefined;
  readonly device?: string | undefined;
  readonly corpus?: CorpusInput | undefined;
  readonly curate?: CurateInput | undefined;
  readonly synth?: SynthConfigInput | undefined;
  readonly tokenizer?: TokenizerSettings | undefined;
  readonly processor: ProcessorConfig;
  readonly model: ModelSizes | ModelFolder;
  readonly pack?: PackSettings | undefined;
  readonly stages: Readonly<Record<StageName, Stage<TrainSettings>>>;
  readonly eval?: readonly string[] | undefined;
  readonly slurm?: SlurmInput | undefined;
  readonly sinks?: readonly SinkName[] | undefined;
  readonly samples?: SampleSettings | undefined;
}

const size = z.int().positive();
const packSourceSchema = z
  .strictObject({
    from: z.string(),
    count: size.optional(),
    epochs: z.number().positive().optional(),
    weight: z.number().positive().optional(),
  })
  .refine(({ count, epochs, weight }) => [count, epochs, weight].filter(Boolean).length < 2, {
    message: 'give at most one of count, epochs and weight',
  });
const phaseSchema = z
  .strictObject({
    mix: z.record(z.string(), size).optional(),
    packs: z.union([z.string(), z.array(packSourceSchema).min(1)]).optional(),
    steps: size.optional(),
  })
  .refine(({ mix, packs }) => (mix === undefined) !== (packs === undefined), {
    message: 'give a mix or a folder of packs',
  });
const stageSchema = z.strictObject({
  phases: z.array(phaseSchema).min(1),
  train: TrainConfigSchema,
});
const sampleSchema = z.strictObject({
  every: size,
  prompts: z
    .array(z.strictObject({ text: z.string(), images: z.array(z.string()).optional() }))
    .min(1),
  maxNewTokens: size.optional(),
});
const modelSchema = z.union([
  z.strictObject({ width: size, headDim: size, visionLayers: size, textLayers: size }),
  z.strictObject({ from: z.string(), sizes: z.enum(SIZE_NAMES).optional() }),
]);

export const recipeSchema: z.ZodType<Recipe, RecipeInput> = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower case letters, digits, dots, dashes'),
    seed: z.int().nonnegative().default(1),
    device: z
      .string()
      .regex(/^(cpu|cuda(:\d+)?)$/, 'expected cpu, cuda or cuda:1')
      .default('cpu'),
    corpus: corpusSchema.prefault({}),
    curate: curateSchema.prefault({}),
    synth: synthConfigSchema.prefault({ sets: [] }),
    tokenizer: z
      .strictObject({
        vocabSize: z.int().min(300).max(200_000),
        defaultSystem: z.string().default('You are a helpful assistant.'),
      })
      .optional(),
    processor: processorSchema,
    model: modelSchema,
    pack: PackConfigSchema.prefault({}),
    stages: z.strictObject({ align: stageSchema, 'mid-train': stageSchema, instruct: stageSchema }),
    eval: z.array(z.string()).default([]),
    slurm: slurmSchema.optional(),
    sinks: z.array(z.enum(SINK_NAMES)).default([]),
    samples: sampleSchema.optional(),
  })
  .refine(({ model, tokenizer }) => 'from' in model || tokenizer !== undefined, {
    path: ['tokenizer'],
    message: 'expected the size of its vocabulary, or a model folder that has one: model.from',
  });

/**
 * Checks a recipe and fills in the defaults.
 * @throws OneVisionError 'recipe' naming each wrong key and what was expected there
 */
export function defineRecipe(input: RecipeInput): Recipe {
  const parsed = recipeSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new OneVisionError('recipe', `The recipe is not valid.\n${z.prettifyError(parsed.error)}`, {
    hint: 'correct these keys; docs/recipe.md lists all of them',
  });
}

/**
 * Opens a recipe module and applies overrides such as `stages.align.train.steps=10`.
 * @throws OneVisionError 'recipe' for a missing file, a module without a recipe, or a wrong key
 */
export async function loadRecipe(path: string, overrides: readonly string[] = []): Promise<Recipe> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new OneVisionError(
      'recipe',
      `Expected a recipe module at ${path}; there is no such file.`,
      {
        hint: 'recipes/demo.ts is one to start from',
      },
    );
  }
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  const recipe: unknown = structuredClone(module.default);
  if (typeof recipe !== 'object' || recipe === null) {
    throw new OneVisionError('recipe', `Expected ${path} to export a recipe as default.`, {
      hint: 'export default defineRecipe({ … })',
    });
  }
  for (const override of overrides) applyOverride(recipe as Record<string, unknown>, override);
  return defineRecipe(recipe as RecipeInput);
}

/** Sets `a.b=value` in place; the value is JSON, or else taken as text. */
function applyOverride(recipe: Record<string, unknown>, override: string): void {
  const [, path, text] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
  if (path === undefined || text === undefined) {
    throw new OneVisionError('usage', `--set expects key.path=value; got ${override}.`);
  }
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let target = recipe;
  for (const key of keys) {
    const next = target[key];
    if (typeof next !== 'object' || next === null) {
      throw new OneVisionError('recipe', `--set ${path}: the recipe has no object at "${key}".`);
    }
    target = next as Record<string, unknown>;
  }
  target[last] = parseValue(text);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
