// Trains the stages of a recipe in a run folder, and opens the model that came out.
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { createOneVision, type OneVision } from '../model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../model/presets.ts';
import { type Recipe, STAGES, type StageName } from '../recipe.ts';
import { hashConfig } from '../sample/manifest.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { Run } from '../track/run.ts';
import { openSinks } from '../track/sinks/open-sinks.ts';
import { findCheckpoint } from '../train/checkpoints.ts';
import { loadForTraining } from '../train/resume.ts';
import { train } from '../train/trainer.ts';
import { type PipelineContext, packPiece, stagePhases, tokenizerFolder } from './pipeline.ts';

/** The model of the recipe's folder, or a fresh one for the vocabulary of the run's tokenizer. */
function startModel(recipe: Recipe, tokenizerDir: string): OneVision {
  if ('from' in recipe.model) return loadForTraining(recipe.model.from, recipe.device);
  const vocabulary = vocabularyOf(loadTokenizer(tokenizerDir));
  return createOneVision(tinyConfig(vocabulary, recipe.model), {
    seed: recipe.seed,
    device: recipe.device,
  });
}

/** Names what training starts from: sizes and seed, or what a folder holds, by names and sizes. */
function modelHash({ model, seed }: Recipe): string {
  if (!('from' in model)) return hashConfig('model', model, seed);
  const files = globSync('{config.json,*.safetensors}', { cwd: model.from }).sort();
  const sizes = files.map((name) => [name, statSync(join(model.from, name)).size]);
  if (sizes.length > 0) return hashConfig('model', sizes);
  throw new OneVisionError('checkpoint', `Expected a model in ${model.from}, found none.`, {
    hint: 'make one: onevision convert merge --vision RICE --decoder QWEN3 --out FOLDER',
  });
}

/** Packs that others released are made ready where that is not done. */
async function adoptAll(context: PipelineContext, names: readonly StageName[]): Promise<void> {
  const { stages } = context.recipe;
  for (const name of names) {
    if (stages[name].phases.every(({ packs }) => packs !== undefined)) {
      await packPiece(context, name);
    }
  }
}

/**
 * Trains every stage up to `last` that is not finished; resumes by itself. Packs must be there.
 * @throws OneVisionError as `train` does.
 */
export async function trainRun(
  context: PipelineContext,
  last: StageName = 'instruct',
): Promise<void> {
  const { recipe, dir, log } = context;
  const tokenizer = tokenizerFolder(context);
  const names = STAGES.slice(0, STAGES.indexOf(last) + 1);
  const startHash = modelHash(recipe);
  await adoptAll(context, names);
  const run = await Run.open(dir, { recipe, sinks: openSinks(recipe.sinks, dir) });
  const stages = names.map((name) => ({
    name,
    config: { ...recipe.stages[name].train, seed: recipe.seed },
    phases: stagePhases(context, name),
  }));
  try {
    using _model = await train({
      run,
      stages,
      tokenizer,
      createModel: () => startModel(recipe, tokenizer),
      device: recipe.device,
      modelHash: startHash,
      log,
    });
    await run.setStatus('done');
  } finally {
    run[Symbol.dispose]();
  }
}

/**
 * The newest whole checkpoint of a run.
 * @throws OneVisionError 'checkpoint' when there is none.
 */
export async function lastCheckpoint(dir: string): Promise<string> {
  const found = await findCheckpoint(join(dir, 'checkpoints'), () => undefined);
  if (found !== undefined) return found.dir;
  throw new OneVisionError(
    'checkpoint',
    `Expected a checkpoint in ${dir}/checkpoints, found none.`,
    {
      hint: 'train first: npm run demo, or npm run onevision -- train',
    },
  );
}
