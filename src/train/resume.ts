// Going on from the last checkpoint that is whole: weights, optimizer, place in the run, to the bit.

import { OneVisionError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { loadModel } from '../model/checkpoint.ts';
import { OneVision } from '../model/onevision.ts';
import { type DType, noGrad } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { RunWriter } from '../track/run.ts';
import { ALONE, type Ranks } from './parallel/ranks.ts';
import { type FoundCheckpoint, findCheckpoint } from './saving/checkpoints.ts';
import type { PreparedStage } from './stage.ts';

/**
 * The newest whole checkpoint of a run, the same for all ranks; torn ones are warned of and left out.
 */
export async function findWhole(
  run: RunWriter,
  log: Logger,
  ranks: Ranks = ALONE,
): Promise<FoundCheckpoint | undefined> {
  const look = (): Promise<FoundCheckpoint | undefined> =>
    findCheckpoint(run.paths.checkpoints, (dir, reason) => {
      log.warn(`checkpoint ${dir} is torn and left out: ${reason}`);
      run.logEvent('warning', { message: `torn checkpoint ${dir}: ${reason}` });
    });
  const own = ranks.rank === 0 ? await look() : undefined;
  return ranks.exchange(own ?? null, 'last checkpoint')[0] ?? undefined;
}

/**
 * The model and place of a run's newest whole checkpoint, or undefined for a run without one.
 * @throws OneVisionError 'checkpoint' when it was written with other settings, packs or model.
 */
export async function resumePoint(
  run: RunWriter,
  stages: readonly PreparedStage[],
  { log, device }: { readonly log: Logger; readonly device?: string | undefined },
  ranks: Ranks = ALONE,
): Promise<(FoundCheckpoint & { readonly model: OneVision }) | undefined> {
  const found = await findWhole(run, log, ranks);
  if (found === undefined) return undefined;
  const { step, stage: name, historyHash } = found.state;
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage === undefined || stage.historyHash !== historyHash) {
    throw new OneVisionError(
      'checkpoint',
      `expected ${found.dir} to be of this recipe, came one of other settings or packs ` +
        `(stage ${name}, step ${step})`,
      { hint: `start a new run folder, or delete ${run.paths.checkpoints} to begin again` },
    );
  }
  log.info(`resuming from ${found.dir}`);
  run.logResume(step, name);
  return { ...found, model: loadForTraining(found.dir, device) };
}

/**
 * Loads a model into memory of libtorch's own alignment. Mapped weights lie where the file puts
 * them, and matrix kernels may round differently there; training must not depend on that.
 */
export function loadForTraining(dir: string, device = 'cpu'): OneVision {
  return loadModel(dir, { mapped: false, device });
}
/** A model of its own with the same weights, in a type. */
export function copyModel(model: OneVision, dtype: DType): OneVision {
  const weights = model.namedParameters();
  return noGrad(
    () =>
      new OneVision(model.config, (name) => {
        const weight = weights.get(name);
        if (weight === undefined) throw new RangeError(`no weight ${name}`);
        return ops.toCopy(weight, { dtype });
      }),
  );
}

/** Writes the weights of a checkpoint into a model. */
export function restoreWeights(model: OneVision, dir: string): void {
  using saved = loadModel(dir);
  const weights = saved.namedParameters();
  noGrad(() => {
    for (const [name, parameter] of model.namedParameters()) {
      const weight = weights.get(name);
      if (weight !== undefined) ops.copy_(parameter, weight);
    }
  });
}
