// The options that several commands share, and what they open: a recipe and a run folder.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OneVisionError } from '../core/errors.ts';
import { readJson } from '../core/files.ts';
import { log } from '../core/log.ts';
import { loadRecipe, type Recipe, recipeSchema } from '../recipe.ts';
import type { PipelineContext } from './pipeline.ts';

/** Options of commands that follow a recipe. */
export interface RecipeOptions {
  readonly recipe: string;
  readonly run?: string;
  readonly seed?: number;
  readonly set?: readonly string[];
}

const DEMO_RECIPE = fileURLToPath(new URL('../../recipes/demo.ts', import.meta.url));

export function addRecipeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--recipe <file>', 'recipe module').default(DEMO_RECIPE, 'recipes/demo.ts'),
    )
    .option('--run <folder>', 'run folder (default: runs/<name of the recipe>)')
    .option('--seed <n>', 'of weights, order and augmentation', parseWhole)
    .option('--set <key=value>', 'change one setting; repeatable', collect);
}

/** The recipe with its overrides, and the run folder it goes to. */
export async function openContext(options: RecipeOptions): Promise<PipelineContext> {
  const seed = options.seed === undefined ? [] : [`seed=${options.seed}`];
  const recipe = await loadRecipe(options.recipe, [...(options.set ?? []), ...seed]);
  return { recipe, dir: options.run ?? join('runs', recipe.name), log };
}

/**
 * The recipe that a run was made with.
 * @throws OneVisionError 'usage' when the folder is not a run
 */
export function openRecipeOfRun(dir: string): Recipe {
  const path = join(dir, 'recipe.json');
  if (!existsSync(path)) {
    throw new OneVisionError('usage', `Expected a run folder with recipe.json at ${dir}.`, {
      hint: 'npm run demo makes runs/demo',
    });
  }
  return readJson(path, recipeSchema, 'recipe');
}

export function parseWhole(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** Of a repeatable option. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}
