// Going on from the last checkpoint that is whole: weights, optimizer, place in the run, to the bit.

import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { loadModel } from '../model/checkpoint.ts';
import type { OneVision } from '../model/onevision.ts';
import type { Optimizer } from '../nn/optim/optimizer.ts';
import { openSafetensors } from '../tensor/safetensors.ts';
import type { Run } from '../track/run.ts';
import { type FoundCheckpoint, findCheckpoint } from './checkpoints.ts';
import type { PreparedStage } from './stage.ts';

export const OPTIMIZER_FILE = 'optimizer.safetensors';

/**
 * The model and place of a run's newest whole checkpoint, or undefined for a run without one.
 * @throws OneVisionError 'checkpoint' when it was written with other settings, packs or model.
 */
export async function resumePoint(
  run: Run,
  stages: readonly PreparedStage[],
  log: Logger,
): Promise<(FoundCheckpoint & { readonly model: OneVision }) | undefined> {
  const found = await findCheckpoint(run.paths.checkpoints, (dir, reason) => {
    log.warn(`checkpoint ${dir} is torn and left out: ${reason}`);
    run.logEvent('warning', { message: `torn checkpoint ${dir}: ${reason}` });
  });
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
  return { ...found, model: loadForTraining(found.dir) };
}

/**
 * Loads a model into memory of libtorch's own alignment. Mapped weights lie where the file puts
 * them, and matrix kernels may round differently there; training must not depend on that.
 */
export function loadForTraining(dir: string): OneVision {
  return loadModel(dir, { mapped: false });
}

/** Continues an optimizer from a checkpoint. */
export function loadOptimizerState(optimizer: Optimizer, dir: string): void {
  using file = openSafetensors(join(dir, OPTIMIZER_FILE));
  const saved = new Map(file.names.map((name) => [name, file.tensor(name)]));
  optimizer.loadState(saved);
  for (const tensor of saved.values()) tensor.dispose();
}
