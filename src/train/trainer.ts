// Trains the stages of a run one after the other, from the beginning or from the last checkpoint.
// The arithmetic of a step is in step.ts, the data in loader.ts.

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { OneVisionError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { saveCheckpoint } from '../model/checkpoint.ts';
import type { OneVision } from '../model/onevision.ts';
import type { Optimizer } from '../nn/optim/optimizer.ts';
import { cosineLr } from '../nn/schedule.ts';
import type { PackOrder } from '../pack/order.ts';
import type { PackFacts } from '../pack/read.ts';
import { createSkipCounter, type SkipCounter } from '../sample/skips.ts';
import { saveSafetensors } from '../tensor/safetensors.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { formatStepLine } from '../track/console-line.ts';
import type { GeneratedRow } from '../track/protocol.ts';
import type { Run } from '../track/run.ts';
import {
  pruneCheckpoints,
  saveCheckpointFolder,
  sweepCheckpoints,
  type TrainState,
} from './checkpoints.ts';
import { localAssembly, workerAssembly } from './data/assembly-line.ts';
import { Loader } from './data/loader.ts';
import { Meter } from './meter.ts';
import { createOptimizer, selectTrainable } from './optimizer.ts';
import { loadOptimizerState, OPTIMIZER_FILE, resumePoint } from './resume.ts';
import { type PreparedStage, prepareOrder, prepareStages, type StagePlan } from './stage.ts';
import { type StepResult, trainStep } from './step.ts';

export interface TrainOptions {
  readonly run: Run;
  readonly stages: readonly StagePlan[];
  /** Folder of the tokenizer that the packs were counted with. */
  readonly tokenizer: string;
  /** Makes the model that the first stage starts from. */
  readonly createModel: () => OneVision;
  /** Names that model (sizes and seed, or a checkpoint); another name cannot be resumed. */
  readonly modelHash: string;
  readonly log: Logger;
  /** Called after every step, with the steps done over all stages. */
  readonly onStep?: (step: number, result: StepResult) => void;
  /** What the model says on fixed prompts, written to `samples/` every so many steps. */
  readonly generate?: {
    readonly every: number;
    readonly rows: (model: OneVision) => Promise<readonly GeneratedRow[]>;
  };
}

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
    return await trainStages(options, signals.caught);
  } catch (error) {
    const interrupted = error instanceof OneVisionError && error.code === 'interrupted';
    run.logEvent(interrupted ? 'interrupted' : 'error', { message: String(error) });
    await run.setStatus(interrupted ? 'interrupted' : 'failed');
    throw error;
  } finally {
    signals.release();
  }
}

async function trainStages(
  options: TrainOptions,
  caught: () => NodeJS.Signals | undefined,
): Promise<OneVision> {
  const { run, log } = options;
  const stages = prepareStages(options.stages, options.modelHash);
  await sweepCheckpoints(run.paths.checkpoints);
  const found = await resumePoint(run, stages, log);
  const model = found?.model ?? options.createModel();
  for (const stage of stages) {
    if (found !== undefined && found.state.step >= stage.firstStep + stage.config.steps) continue;
    const state = found?.state.stage === stage.name ? found.state : undefined;
    const trainer = await StageTrainer.open(options, stage, model, state, found?.dir);
    try {
      await trainer.run(caught);
    } finally {
      await trainer.close();
    }
  }
  return model;
}

/** One stage under way. */
class StageTrainer {
  readonly #options: TrainOptions;
  readonly #stage: PreparedStage;
  readonly #model: OneVision;
  readonly #optimizer: Optimizer;
  readonly #parameters: ReturnType<typeof selectTrainable>;
  readonly #loader: Loader;
  readonly #facts: PackFacts;
  readonly #meter: Meter;
  readonly #skips: SkipCounter;
  #stageStep: number;

  private constructor(
    options: TrainOptions,
    stage: PreparedStage,
    model: OneVision,
    state: TrainState | undefined,
    data: { readonly order: PackOrder; readonly facts: PackFacts },
  ) {
    const { config } = stage;
    this.#options = options;
    this.#stage = stage;
    this.#model = model;
    this.#facts = data.facts;
    this.#parameters = selectTrainable(model, config.trainable);
    this.#optimizer = createOptimizer(this.#parameters, config.optimizer);
    this.#stageStep = state?.stageStep ?? 0;
    this.#meter = new Meter(state ?? { tokens: 0, numSkipped: 0, window: {} });
    this.#skips = createSkipCounter({ maxRate: config.maxSkipRate });
    const spec = {
      packDirs: stage.phases.map((phase) => phase.packs),
      tokenizer: options.tokenizer,
      settings: { ...config, processor: data.facts.processor },
    };
    this.#loader = new Loader({
      order: data.order,
      packsPerStep: config.packsPerStep,
      firstStep: this.#stageStep,
      prefetch: config.prefetch,
      line: config.workers === 0 ? localAssembly(spec) : workerAssembly(spec, config.workers),
    });
  }

  static async open(
    options: TrainOptions,
    stage: PreparedStage,
    model: OneVision,
    state: TrainState | undefined,
    checkpoint: string | undefined,
  ): Promise<StageTrainer> {
    const data = await prepareOrder(stage, options.run.paths.packs, options.tokenizer);
    const trainer = new StageTrainer(options, stage, model, state, data);
    if (state !== undefined && checkpoint !== undefined) {
      loadOptimizerState(trainer.#optimizer, checkpoint);
    }
    options.run.logEvent('stage-start', { stage: stage.name, step: trainer.#step });
    return trainer;
  }

  /** Steps done over all stages. */
  get #step(): number {
    return this.#stage.firstStep + this.#stageStep;
  }

  /** Trains to the end of the stage, or until a signal is caught. */
  async run(caught: () => NodeJS.Signals | undefined): Promise<void> {
    const { config, name } = this.#stage;
    const { run } = this.#options;
    let saved = this.#stageStep;
    const save = async (): Promise<void> => {
      await this.#save();
      saved = this.#stageStep;
    };
    while (this.#stageStep < config.steps) {
      await this.#trainStep();
      await setImmediate(); // lets signals and the terminal in
      const signal = caught();
      if (this.#stageStep % config.saveEvery === 0 || signal !== undefined) await save();
      if (signal === undefined) continue;
      throw new OneVisionError('interrupted', `stopped by ${signal} after step ${this.#step}`, {
        hint: 'run the same command again to go on from there',
      });
    }
    if (saved < this.#stageStep) await save();
    run.logEvent('stage-end', { stage: name, step: this.#step });
  }

  async close(): Promise<void> {
    this.#optimizer[Symbol.dispose]();
    await this.#loader.close();
  }

  async #trainStep(): Promise<void> {
    const { config } = this.#stage;
    const { run, onStep, generate } = this.#options;
    const loaded = await this.#loader.next();
    this.#recordSkips(loaded.packs);
    const lr = cosineLr(this.#stageStep, {
      peak: config.optimizer.lr,
      min: config.optimizer.minLr,
      warmupSteps: Math.ceil(config.optimizer.warmup * config.steps),
      totalSteps: config.steps,
    });
    const result = this.#update(loaded.packs, lr);
    this.#stageStep += 1;
    this.#meter.add(loaded, result);
    if (this.#stageStep % config.logEvery === 0 || this.#stageStep === config.steps) {
      this.#log({ lr, gradNorm: result.gradNorm });
    }
    onStep?.(this.#step, result);
    if (generate !== undefined && this.#step % generate.every === 0) {
      await run.writeGenerated(this.#step, await generate.rows(this.#model));
    }
  }

  #update(packs: Parameters<typeof trainStep>[0], lr: number): StepResult {
    const { microBatchPacks, matmul, optimizer } = this.#stage.config;
    try {
      return trainStep(packs, lr, {
        model: this.#model,
        optimizer: this.#optimizer,
        parameters: this.#parameters,
        microBatchPacks,
        matmul,
        clip: optimizer.clip,
      });
    } catch (error) {
      if (!(error instanceof OneVisionError) || error.code !== 'numerics') throw error;
      const where = `step ${this.#step + 1} (${this.#stage.name})`;
      throw new OneVisionError('numerics', `${where}: ${error.message}`, {
        hint: error.hint ?? '',
        cause: error,
      });
    }
  }

  #recordSkips(packs: Parameters<typeof trainStep>[0]): void {
    for (const pack of packs) {
      this.#skips.good(pack.uids.length);
      for (const { uid, reason } of pack.skipped) {
        const message = `${uid}: ${reason}`;
        this.#options.run.logEvent('skip', { stage: this.#stage.name, step: this.#step, message });
        this.#skips.skip(uid, reason);
      }
    }
    this.#skips.check();
  }

  #log(last: { readonly lr: number; readonly gradNorm: number }): void {
    const { name } = this.#stage;
    const { run, log, stages } = this.#options;
    const metrics = { ...this.#meter.take(last), 'data/pack_fill': this.#facts.fill };
    run.logMetrics(this.#step, name, metrics);
    const totalSteps = stages.reduce((sum, { config }) => sum + config.steps, 0);
    const left = (totalSteps - this.#step) * ((metrics['perf/step_ms'] ?? 0) / 1000);
    const stage = name.padEnd(Math.max(...stages.map((other) => other.name.length)));
    log.info(formatStepLine({ stage, step: this.#step, totalSteps, metrics, etaS: left }));
  }

  async #save(): Promise<void> {
    const { run, tokenizer } = this.#options;
    const { name, config, historyHash } = this.#stage;
    const state: TrainState = {
      format: 'onevision-state/1',
      step: this.#step,
      stage: name,
      stageStep: this.#stageStep,
      stageSteps: config.steps,
      historyHash,
      tokens: this.#meter.tokens,
      numSkipped: this.#meter.numSkipped,
      window: this.#meter.window,
    };
    await saveCheckpointFolder(run.paths.checkpoints, state, async (dir) => {
      const image = this.#facts.processor;
      await saveCheckpoint(dir, this.#model, { tokenizer: loadTokenizer(tokenizer), image });
      const tensors = Object.fromEntries(this.#optimizer.state());
      await saveSafetensors(join(dir, OPTIMIZER_FILE), tensors);
    });
    run.logEvent('checkpoint', { stage: name, step: this.#step });
    await pruneCheckpoints(run.paths.checkpoints, config.keepLast);
  }
}

/** Notes SIGINT and SIGTERM instead of dying of them; a second one ends the process as usual. */
function catchSignals(): {
  readonly caught: () => NodeJS.Signals | undefined;
  readonly release: () => void;
} {
  let caught: NodeJS.Signals | undefined;
  const release = (): void => {
    process.removeListener('SIGINT', note);
    process.removeListener('SIGTERM', note);
  };
  const note = (signal: NodeJS.Signals): void => {
    caught = signal;
    release();
  };
  process.on('SIGINT', note);
  process.on('SIGTERM', note);
  return { caught: () => caught, release };
}
