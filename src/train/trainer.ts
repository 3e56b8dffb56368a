// Trains the stages of a run one after the other, from the beginning or from the last checkpoint. One
// stage under way is stage-trainer.ts.

import { OneVisionError } from '../core/errors.ts';
import type { OneVision } from '../model/onevision.ts';
import { ranksOf } from './parallel/ranks.ts';
import { copyModel, resumePoint } from './resume.ts';
import { sweepCheckpoints } from './saving/checkpoints.ts';
import { catchSignals, type Signals } from './signals.ts';
import { prepareStages } from './stage.ts';
import { StageTrainer } from './stage-trainer.ts';
import type { TrainOptions } from './train-options.ts';

/**
 * Trains all stages that are not finished yet; each starts from the weights the one before ended
 * with, with a fresh optimizer. SIGINT and SIGTERM finish the step, save, and throw.
 *
 * @returns the trained model, which belongs to the caller.
 * @throws OneVisionError 'interrupted' after a signal; 'numerics' for a loss that is not finite;
 * 'checkpoint' when the run was begun with other settings; 'data', 'disk', 'recipe'.
 */
export async function train(options: TrainOptions): Promise<OneVision> {
  const { run } = options;
  const signals = catchSignals();
  try {
    return await trainStages(options, signals);
  } catch (error) {
    const interrupted = error instanceof OneVisionError && error.code === 'interrupted';
    run.logEvent(interrupted ? 'interrupted' : 'error', { message: String(error) });
    await run.setStatus(interrupted ? 'interrupted' : 'failed');
    throw error;
  } finally {
    signals.release();
  }
}

async function trainStages(options: TrainOptions, signals: Signals): Promise<OneVision> {
  const { run } = options;
  const ranks = ranksOf(options.group);
  const stages = prepareStages(options.stages, options.modelHash);
  if (ranks.rank === 0) await sweepCheckpoints(run.paths.checkpoints);
  const found = await resumePoint(run, stages, options, ranks);
  let model = found?.model ?? options.createModel();
  for (const stage of stages) {
    if (found !== undefined && found.state.step >= stage.firstStep + stage.config.steps) continue;
    const from = found?.state.stage === stage.name ? found : undefined;
    const dtype = stage.config.precision === 'float32' ? 'float32' : 'bfloat16';
    const exact = model;
    if (model.dtype !== dtype) model = copyModel(exact, dtype);
    const trainer = await StageTrainer.open(options, stage, { model, exact, from });
    if (model !== exact) exact[Symbol.dispose]();
    try {
      await trainer.run(signals.caught);
    } finally {
      await trainer.close();
    }
  }
  return model;
}
