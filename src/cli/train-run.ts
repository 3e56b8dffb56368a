// Trains the stages of a recipe in a run folder, and opens the model that came out.
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { createOneVision, type OneVision } from '../model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../model/presets.ts';
import { type Recipe, STAGES, type StageName } from '../recipe.ts';
import { hashConfig } from '../sample/manifest.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { Run } from '../track/run.ts';
import { findCheckpoint } from '../train/checkpoints.ts';
import { train } from '../train/trainer.ts';
import { dataPaths, type PipelineContext } from './pipeline.ts';

/** A fresh model of the recipe's sizes, for the vocabulary of the run's tokenizer. */
function freshModel(recipe: Recipe, tokenizerDir: string): OneVision {
  const vocabulary = vocabularyOf(loadTokenizer(tokenizerDir));
  return createOneVision(tinyConfig(vocabulary, recipe.model), { seed: recipe.seed });
}

/**
 * Trains every stage up to `last` that is not finished; resumes by itself. Packs must be there.
 * @throws OneVisionError as `train` does.
 */
export async function trainRun(
  { recipe, dir, log }: PipelineContext,
  last: StageName = 'instruct',
): Promise<void> {
  const paths = dataPaths(dir);
  const run = await Run.open(dir, { recipe });
  const names = STAGES.slice(0, STAGES.indexOf(last) + 1);
  const stages = names.map((name) => {
    const { phases, train: config } = recipe.stages[name];
    const packs = phases.map(({ steps }, index) => ({ packs: paths.packs(name, index), steps }));
    return { name, config: { ...config, seed: recipe.seed }, phases: packs };
  });
  try {
    using _model = await train({
      run,
      stages,
      tokenizer: paths.tokenizer,
      createModel: () => freshModel(recipe, paths.tokenizer),
      modelHash: hashConfig('model', recipe.model, recipe.seed),
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
