// A recipe: everything that decides what a run does, as one checked object. Each folder owns the
// settings of its part; this file only joins them.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { OneVisionError } from './core/errors.ts';
import { curateSchema } from './curate/config.ts';
import { processorSchema } from './image/config.ts';
import { PackConfigSchema } from './pack/config.ts';
import { corpusSchema } from './sample/corpus.ts';
import { synthConfigSchema } from './synth/config.ts';
import { TrainConfigSchema } from './train/config.ts';

/** Stages in the order they run; each starts from the weights of the one before. */
export const STAGES = ['align', 'mid-train', 'instruct'] as const;
export type StageName = (typeof STAGES)[number];

/** The three fixed sizes of the tiny model; everything else follows from them. */
const modelSchema = z.strictObject({
  /** Hidden size of tower and decoder. */
  width: z.int().positive().default(192),
  /** Head size of the decoder. */
  headDim: z.int().positive().default(64),
  visionLayers: z.int().positive().default(4),
  textLayers: z.int().positive().default(4),
});

/** A stretch of a stage: steps on packs of one mix. Several in a row are a curriculum. */
const phaseSchema = z.strictObject({
  /** Samples of each training set that one pass over the packs holds, by name of the set. */
  mix: z.record(z.string(), z.int().positive()),
  /** The one phase without a number takes the steps that are left. */
  steps: z.int().positive().optional(),
});

const stageSchema = z.strictObject({
  phases: z.array(phaseSchema).min(1),
  train: TrainConfigSchema,
});

export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower case letters, digits, dots, dashes'),
  /** Seeds the weights, the order of the data and every draw. */
  seed: z.int().nonnegative().default(1),
  corpus: corpusSchema.prefault({}),
  curate: curateSchema.prefault({}),
  synth: synthConfigSchema,
  tokenizer: z.strictObject({
    vocabSize: z.int().min(300).max(200_000),
    /** System prompt of conversations without one; '' for none. */
    defaultSystem: z.string().default('You are a helpful assistant.'),
  }),
  processor: processorSchema,
  model: modelSchema,
  pack: PackConfigSchema.prefault({}),
  stages: z.strictObject({
    align: stageSchema,
    'mid-train': stageSchema,
    instruct: stageSchema,
  }),
  /** Names of the benchmarks that close the run. */
  eval: z.array(z.string()).default([]),
});

export type Recipe = z.output<typeof recipeSchema>;
export type RecipeInput = z.input<typeof recipeSchema>;

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
    throw new OneVisionError('recipe', `Expected a recipe module at ${path}; there is no such file.`, {
      hint: 'recipes/demo.ts is one to start from',
    });
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
