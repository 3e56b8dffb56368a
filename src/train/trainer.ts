// Trains the stages of a run one after the other, from the beginning or from the last checkpoint.
// The arithmetic of a step is in step.ts, the data in loader.ts.

import { setImmediate } from 'node:timers/promises';
import { OneVisionError } from '../core/errors.ts';
import type { SaveCompanions } from '../model/checkpoint.ts';
import type { OneVision } from '../model/onevision.ts';
import { cosineLr } from '../nn/schedule.ts';
import type { PackFacts } from '../pack/read.ts';
import { createSkipCounter, type SkipCounter } from '../sample/skips.ts';
import { loadTokenizer } from '../text/tokenizer.ts';
import { formatStepLine } from '../track/console-line.ts';
import {
  type FoundCheckpoint,
  pruneCheckpoints,
  saveCheckpointFolder,
  sweepCheckpoints,
  type TrainState,
} from './checkpoints.ts';
import { localAssembly, workerAssembly } from './data/assembly-line.ts';
import { type Dealing, openDealing } from './data/dealing.ts';
import { Loader } from './data/loader.ts';
import { dryRun } from './dry-run.ts';
import { Learner } from './learner.ts';
import { type StepFacts, stepFacts } from './parallel/facts.ts';
import { beginRankSave } from './parallel/rank-save.ts';
import { type Ranks, ranksOf } from './parallel/ranks.ts';
import { openRanks } from './parallel/sequence.ts';
import { openShardGroups, shardingOf } from './parallel/sharding.ts';
import { copyModel, findWhole, restoreWeights, resumePoint } from './resume.ts';
import { Background } from './saving/background.ts';
import { RewindLimit } from './saving/rewind-limit.ts';
import { Snapshot } from './saving/snapshot.ts';
import { catchSignals, type Signals } from './signals.ts';
import { type PreparedStage, packFolders, prepareOrder, prepareStages } from './stage.ts';
import { RefusedStep, SpikeError, type StepResult, trainStep } from './step.ts';
import type { TrainOptions } from './train-options.ts';
import { gaugeOf } from './watch/gauge.ts';
import { Meter } from './watch/meter.ts';
import { lastSaved, Spikes, type StepNumbers } from './watch/spikes.ts';

type Packs = Parameters<typeof trainStep>[0];

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

/** What a stage starts from. */
interface Start {
  readonly model: OneVision;
  /** The same weights before they were rounded to the stage's precision. */
  readonly exact: OneVision;
  /** The checkpoint inside the stage to go on from. */
  readonly from: FoundCheckpoint | undefined;
}

/** One stage under way. */
class StageTrainer {
  readonly #options: TrainOptions;
  readonly #ranks: Ranks;
  readonly #stage: PreparedStage;
  readonly #learner: Learner;
  readonly #loader: Loader;
  readonly #dealing: Dealing;
  readonly #facts: PackFacts;
  readonly #meter: Meter;
  readonly #spikes: Spikes;
  readonly #skips: SkipCounter;
  readonly #saving: Background = new Background();
  readonly #rewinds: RewindLimit = new RewindLimit();
  readonly #stopped: AbortController = new AbortController();
  #stageStep: number;

  private constructor(
    options: TrainOptions,
    stage: PreparedStage,
    { model, exact, from }: Start,
    ranks: Ranks,
    data: { readonly order: string; readonly facts: PackFacts; readonly dealing: Dealing },
  ) {
    const { config } = stage;
    const { group } = options;
    this.#options = options;
    this.#ranks = ranks;
    this.#dealing = data.dealing;
    this.#stage = stage;
    this.#facts = data.facts;
    const sharding =
      group === undefined ? undefined : shardingOf(openShardGroups(group, config), config);
    this.#learner = new Learner(model, config, exact.namedParameters(), sharding);
    this.#stageStep = from?.state.stageStep ?? 0;
    const before = from?.state ?? { tokens: 0, numSkipped: 0, window: {} };
    this.#meter = new Meter(before, gaugeOf(model, config));
    this.#spikes = new Spikes(from?.state.recent);
    this.#skips = createSkipCounter({ maxRate: config.maxSkipRate });
    const lossWeighting =
      config.lossWeighting === 'pack-mean' ? 'token-mean' : config.lossWeighting;
    const spec = {
      packDirs: packFolders(stage),
      tokenizer: options.tokenizer,
      settings: { ...config, lossWeighting, processor: data.facts.processor },
    };
    this.#loader = new Loader({
      order: data.order,
      packsPerStep: config.packsPerStep,
      firstStep: this.#stageStep,
      prefetch: config.prefetch,
      share: (entries) => data.dealing.share(entries, ranks.owner),
      line: config.workers === 0 ? localAssembly(spec) : workerAssembly(spec, config.workers),
    });
  }

  static async open(
    options: TrainOptions,
    stage: PreparedStage,
    start: Start,
  ): Promise<StageTrainer> {
    const ranks = openRanks(options.group, stage.config, start.model.config);
    const data = {
      ...(await prepareOrder(stage, options.run.paths.packs, options.tokenizer)),
      dealing: await openDealing(packFolders(stage), ranks.numOwners),
    };
    const trainer = new StageTrainer(options, stage, start, ranks, data);
    try {
      if (start.from !== undefined) trainer.#learner.load(start.from.dir);
      if (stage.config.dryRun) dryRun(trainer.#learner, stage.config, data.facts, ranks);
    } catch (error) {
      await trainer.close();
      throw error;
    }
    options.run.logEvent('stage-start', { stage: stage.name, step: trainer.#step });
    return trainer;
  }

  /** Steps done over all stages. */
  get #step(): number {
    return this.#stage.firstStep + this.#stageStep;
  }

  /** Trains to the end of the stage, or until a signal is caught on any rank. */
  async run(caught: () => NodeJS.Signals | undefined): Promise<void> {
    try {
      await this.#run(caught);
    } catch (error) {
      this.#stopped.abort();
      throw error;
    }
  }

  async #run(caught: () => NodeJS.Signals | undefined): Promise<void> {
    const { config, name } = this.#stage;
    let saved = this.#stageStep;
    const save = async (): Promise<void> => {
      await this.#save();
      saved = this.#stageStep;
    };
    while (this.#stageStep < config.steps) {
      await this.#trainStep();
      await setImmediate(); // lets signals, the terminal and a checkpoint being written in
      this.#saving.check();
      const signals = this.#ranks.exchange(caught() ?? null, 'signals');
      const signal = signals.find((one) => one !== null) ?? undefined;
      if (this.#stageStep % config.saveEvery === 0 || signal !== undefined) await save();
      if (signal === undefined) continue;
      await this.#saving.settle();
      throw new OneVisionError('interrupted', `stopped by ${signal} after step ${this.#step}`, {
        hint: 'run the same command again to go on from there',
      });
    }
    if (saved < this.#stageStep) await save();
    await this.#saving.settle();
    this.#ranks.exchange(null, 'end of the stage');
    this.#learner.shards?.keepWhole();
    this.#options.run.logEvent('stage-end', { stage: name, step: this.#step });
  }

  async close(): Promise<void> {
    // A checkpoint that is being written is finished even where training has failed.
    await this.#saving.settle().catch(() => undefined);
    this.#learner[Symbol.dispose]();
    await this.#loader.close();
  }

  async #trainStep(): Promise<void> {
    const { config } = this.#stage;
    const { run, onStep, generate } = this.#options;
    const loaded = await this.#loader.next();
    const facts = stepFacts(loaded, this.#dealing.costs(loaded.entries), this.#ranks);
    this.#recordSkips(facts);
    const lr = cosineLr(this.#stageStep, {
      peak: config.optimizer.lr,
      min: config.optimizer.minLr,
      warmupSteps: Math.ceil(config.optimizer.warmup * config.steps),
      totalSteps: config.steps,
    });
    const result = await this.#update(loaded.packs, lr);
    this.#stageStep += 1;
    if (result === undefined) return;
    this.#meter.add(facts, result);
    if (this.#stageStep % config.logEvery === 0 || this.#stageStep === config.steps) {
      this.#log({ ...result, lr });
    }
    onStep?.(this.#step, result);
    if (generate !== undefined && this.#step % generate.every === 0) {
      using _weights = this.#learner.copies.open();
      if (this.#ranks.rank > 0) return;
      await run.writeGenerated(this.#step, await generate.rows(this.#learner.model));
    }
  }

  /** @returns undefined where the step was left out because its loss or gradient is not finite. */
  async #update(packs: Packs, lr: number): Promise<StepResult | undefined> {
    const { config } = this.#stage;
    const { microBatchPacks, matmul, recompute, optimizer, lossWeighting } = config;
    try {
      const result = trainStep(packs, lr, {
        ...this.#learner,
        ranks: this.#ranks,
        microBatchPacks,
        matmul,
        reduction: lossWeighting === 'pack-mean' ? 'pack-mean' : 'token-mean',
        recompute,
        clip: optimizer.clip,
        judge: (numbers, worst) => this.#judge(numbers, worst),
      });
      this.#learner.average();
      return result;
    } catch (error) {
      if (!(error instanceof RefusedStep)) throw error;
      const where = `step ${this.#step + 1} (${this.#stage.name})`;
      const named = new OneVisionError('numerics', `${where}: ${error.message}`, {
        hint: error.hint ?? '',
        cause: error,
      });
      const policy = error instanceof SpikeError ? config.onSpike : config.onNumerics;
      if (policy === 'stop') throw named;
      await this.#leaveOut(error, named, policy === 'rewind');
      return undefined;
    }
  }

  /** Why a step is refused; one that stands out is only recorded where the recipe says no more. */
  #judge(numbers: StepNumbers, worst: readonly string[]): string | undefined {
    const { run, log } = this.#options;
    const { name: stage, config } = this.#stage;
    const reason = this.#spikes.judge(numbers);
    if (reason === undefined) return undefined;
    const last = lastSaved(run.paths.checkpoints);
    const message = `${reason}; samples of highest loss ${worst.join(', ')}; last checkpoint ${last}`;
    log.warn(`step ${this.#step + 1} (${stage}) stands out: ${message}`);
    run.logEvent('warning', { stage, step: this.#step + 1, message: `stands out: ${message}` });
    return config.onSpike === 'record' ? undefined : reason;
  }

  /** Lists the samples of a step that is left out, and goes back where the recipe says so. */
  async #leaveOut(error: RefusedStep, named: OneVisionError, goesBack: boolean): Promise<void> {
    const { run, log } = this.#options;
    const { name: stage } = this.#stage;
    log.warn(named.message);
    for (const uid of error.uids) {
      const message = `${uid}: ${error.reason}`;
      run.logEvent('skip', { stage, step: this.#step + 1, message });
      this.#skips.skip(uid, error.reason);
    }
    this.#meter.numSkipped += error.uids.length;
    this.#skips.check();
    if (!goesBack) return;
    await this.#saving.settle();
    const found = await findWhole(run, log, this.#ranks);
    if (found === undefined || !this.#rewinds.allows(found.dir)) throw named;
    using _weights = this.#learner.copies.open();
    restoreWeights(this.#learner.model, found.dir);
    this.#learner.copies.refresh();
    if (found.state.stage === stage) this.#learner.load(found.dir);
    else this.#learner.restart();
    const message = `went back to the weights of ${found.dir}`;
    log.warn(message);
    run.logEvent('warning', { stage, step: this.#step + 1, message });
  }

  #recordSkips({ numGood, skipped }: StepFacts): void {
    this.#skips.good(numGood);
    for (const { uid, reason } of skipped) {
      const message = `${uid}: ${reason}`;
      this.#options.run.logEvent('skip', { stage: this.#stage.name, step: this.#step, message });
      this.#skips.skip(uid, reason);
    }
    this.#skips.check();
  }

  #log(last: StepResult & { readonly lr: number }): void {
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
      recent: this.#spikes.recent,
    };
    await this.#saving.settle();
    if (this.#stageStep >= config.steps) this.#learner.merge();
    const work = await this.#copyForSaving(state, {
      tokenizer: loadTokenizer(tokenizer),
      image: this.#facts.processor,
    });
    this.#saving.start(async () => {
      await work();
      if (this.#ranks.rank > 0) return;
      run.logEvent('checkpoint', { stage: name, step: state.step });
      await pruneCheckpoints(run.paths.checkpoints, config);
    });
  }

  /** Copies what a checkpoint holds. @returns the work of writing it. */
  async #copyForSaving(
    state: TrainState,
    companions: SaveCompanions,
  ): Promise<() => Promise<void>> {
    const parent = this.#options.run.paths.checkpoints;
    const [learner, ranks] = [this.#learner, this.#ranks];
    if (ranks.size > 1) {
      const stopped = this.#stopped.signal;
      return beginRankSave({ learner, ranks, parent, state, companions, stopped });
    }
    const snapshot = new Snapshot(learner);
    return async () => {
      using copies = snapshot;
      await saveCheckpointFolder(parent, state, async (dir) => {
        await copies.write(dir, companions);
        return undefined;
      });
    };
  }
}
