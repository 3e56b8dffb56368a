// Trains the stages of a recipe in a run folder, and opens the model that came out.
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { createOneVision, type OneVision } from '../model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../model/presets.ts';
import { barrier } from '../parallel/messages.ts';
import { type Place, placeOf } from '../parallel/place.ts';
import { type OpenOptions, ProcessGroup } from '../parallel/process-group.ts';
import { rankDevice } from '../parallel/rank-device.ts';
import { type Recipe, STAGES, type StageName } from '../recipe.ts';
import { hashConfig } from '../sample/manifest.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { Run, silentRun } from '../track/run.ts';
import { openSinks } from '../track/sinks/open-sinks.ts';
import { loadForTraining } from '../train/resume.ts';
import { findCheckpoint } from '../train/saving/checkpoints.ts';
import { train } from '../train/trainer.ts';
import { askEvery } from './ask-every.ts';
import { type PipelineContext, packPiece, stagePhases, tokenizerFolder } from './pipeline.ts';

/** How long a rank waits for the others, by default: reading a large checkpoint takes minutes. */
export const RANK_TIMEOUT_S = 600;

/** The model of the recipe's folder, or a fresh one for the vocabulary of the run's tokenizer. */
function startModel(recipe: Recipe, tokenizerDir: string, device: string): OneVision {
  if ('from' in recipe.model) return loadForTraining(recipe.model.from, device);
  const vocabulary = vocabularyOf(loadTokenizer(tokenizerDir));
  return createOneVision(tinyConfig(vocabulary, recipe.model), {
    seed: recipe.seed,
    device,
  });
}

/** Names what training starts from: sizes and seed, or what a folder holds, by names and sizes. */
function modelHash({ model, seed }: Recipe): string {
  if (!('from' in model)) return hashConfig('model', model, seed);
  const files = globSync('{config.json,*.safetensors}', { cwd: model.from }).sort();
  const sizes = files.map((name) => [name, statSync(join(model.from, name)).size]);
  if (sizes.length > 0) return hashConfig('model', sizes);
  throw new OneVisionError('checkpoint', `Expected a model in ${model.from}, found none.`, {
    hint: 'make one: onevision convert merge --vision RICE --decoder QWEN3 --output FOLDER',
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
 * Trains every stage up to `last` that is not finished; resumes by itself. Packs must be there. One of
 * several ranks where the environment says so (RANK, WORLD_SIZE, …): rank 0 writes and speaks.
 * @returns whether this is rank 0
 * @throws OneVisionError as `train` does.
 */
export async function trainRun(
  context: PipelineContext,
  last: StageName = 'instruct',
  rankTimeoutS: number = RANK_TIMEOUT_S,
): Promise<boolean> {
  const { recipe, dir, log } = context;
  const tokenizer = tokenizerFolder(context);
  const names = STAGES.slice(0, STAGES.indexOf(last) + 1);
  const startHash = modelHash(recipe);
  const place = placeOf(process.env);
  const { device, backend } = rankDevice(recipe.device, place);
  const group = joinRanks(place, { backend, timeoutMs: rankTimeoutS * 1000 });
  if (place.rank === 0) await adoptAll(context, names);
  if (group !== undefined) barrier(group, 'packs that others released');
  const run =
    place.rank === 0
      ? await Run.open(dir, { recipe, sinks: openSinks(recipe.sinks, dir) })
      : silentRun(dir);
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
      createModel: () => startModel(recipe, tokenizer, device),
      device,
      modelHash: startHash,
      log: place.rank === 0 ? log : silentLog,
      group,
      ...(recipe.samples === undefined
        ? {}
        : { generate: askEvery(recipe.samples, { tokenizer, image: recipe.processor }) }),
    });
    await run.setStatus('done');
    group?.close();
    return place.rank === 0;
  } finally {
    if (run instanceof Run) run.close();
  }
}

/** Meets the other ranks, if there are any. */
function joinRanks(place: Place, options: OpenOptions): ProcessGroup | undefined {
  if (place.size === 1) return undefined;
  stopWithLauncher();
  return ProcessGroup.open(place, options);
}

/** The launcher holds the other end of stdin: when it is gone, this rank finishes its step and saves. */
function stopWithLauncher(): void {
  if (process.env['ONEVISION_LAUNCHED'] === undefined) return;
  process.stdin.resume();
  process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.unref();
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
