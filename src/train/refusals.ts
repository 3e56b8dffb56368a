// What a stage cannot train on: samples that cannot be read and steps that are refused. Records them,
// counts them, and does what the recipe says: stop, skip, or go back to the last checkpoint.

import { OneVisionError } from '../core/errors.ts';
import { createSkipCounter, type SkipCounter } from '../sample/skips.ts';
import type { Learner } from './learner.ts';
import type { Ranks } from './parallel/ranks.ts';
import { findWhole, restoreWeights } from './resume.ts';
import type { TrainState } from './saving/checkpoints.ts';
import { RewindLimit } from './saving/rewind-limit.ts';
import type { Saver } from './saving/saver.ts';
import type { PreparedStage } from './stage.ts';
import type { TrainOptions } from './train-options.ts';
import { type RefusedStep, SpikeError } from './watch/refused.ts';
import { lastSaved, Spikes, type StepNumbers } from './watch/spikes.ts';

export interface RefusalsOptions extends Pick<TrainOptions, 'run' | 'log'> {
  readonly stage: PreparedStage;
  readonly ranks: Ranks;
  readonly learner: Learner;
  readonly saver: Saver;
  /** What the checkpoint that a stage goes on from has of them. */
  readonly before: Pick<TrainState, 'numSkipped' | 'recent'> | undefined;
}

/** Steps are counted over all stages; `step` is the one that is being made. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #spikes: Spikes;
  readonly #skips: SkipCounter;
  readonly #rewinds: RewindLimit = new RewindLimit();

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#spikes = new Spikes(options.before?.recent);
    this.#skips = createSkipCounter({ maxRate: options.stage.config.maxSkipRate });
  }

  /** What a checkpoint keeps: samples skipped in this stage, steps that the next are judged by. */
  get state(): Required<Pick<TrainState, 'numSkipped' | 'recent'>> {
    const before = this.#options.before?.numSkipped ?? 0;
    return { numSkipped: before + this.#skips.numSkipped, recent: this.#spikes.recent };
  }

  /** The samples of a step: those that are trained on, those left out. @throws 'data' for too many */
  count(
    step: number,
    numGood: number,
    skipped: readonly { readonly uid: string; readonly reason: string }[],
  ): void {
    const { run, stage } = this.#options;
    this.#skips.good(numGood);
    for (const { uid, reason } of skipped) {
      run.logEvent('skip', { stage: stage.name, step, message: `${uid}: ${reason}` });
      this.#skips.skip(uid, reason);
    }
    this.#skips.check();
  }

  /** Why a step is refused; one that stands out is only recorded where the recipe says no more. */
  judge(step: number, numbers: StepNumbers, worst: readonly string[]): string | undefined {
    const { run, log, stage } = this.#options;
    const reason = this.#spikes.judge(numbers);
    if (reason === undefined) return undefined;
    const last = lastSaved(run.paths.checkpoints);
    const message = `${reason}; samples of highest loss ${worst.join(', ')}; last checkpoint ${last}`;
    log.warn(`step ${step} (${stage.name}) stands out: ${message}`);
    run.logEvent('warning', { stage: stage.name, step, message: `stands out: ${message}` });
    return stage.config.onSpike === 'record' ? undefined : reason;
  }

  /** Leaves a refused step out, going back where the recipe says so. @throws it, to stop */
  async settle(step: number, refused: RefusedStep): Promise<void> {
    const { log, stage } = this.#options;
    const { onSpike, onNumerics } = stage.config;
    const named = new OneVisionError(
      'numerics',
      `step ${step} (${stage.name}): ${refused.message}`,
      { hint: refused.hint ?? '', cause: refused },
    );
    const policy = refused instanceof SpikeError ? onSpike : onNumerics;
    if (policy === 'stop') throw named;
    log.warn(named.message);
    this.count(
      step,
      0,
      refused.uids.map((uid) => ({ uid, reason: refused.reason })),
    );
    if (policy === 'rewind') await this.#rewind(step, named);
  }

  async #rewind(step: number, named: OneVisionError): Promise<void> {
    const { run, log, stage, ranks, learner, saver } = this.#options;
    await saver.settle();
    const found = await findWhole(run, log, ranks);
    if (found === undefined || !this.#rewinds.allows(found.dir)) throw named;
    using _weights = learner.copies.open();
    restoreWeights(learner.model, found.dir);
    learner.copies.refresh();
    if (found.state.stage === stage.name) learner.load(found.dir);
    else learner.restart();
    const message = `went back to the weights of ${found.dir}`;
    log.warn(message);
    run.logEvent('warning', { stage: stage.name, step, message });
  }
}
