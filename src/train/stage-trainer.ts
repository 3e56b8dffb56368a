// One stage under way: takes its steps in order, saves, logs, stops when told to. The arithmetic of a
// step is in step.ts, the data in data/, what goes wrong in refusals.ts.

import { setImmediate } from 'node:timers/promises';
import { OneVisionError } from '../core/errors.ts';
import type { OneVision } from '../model/onevision.ts';
import { cosineLr } from '../nn/schedule.ts';
import { formatStepLine } from '../track/console-line.ts';
import type { TrainConfig } from './config.ts';
import type { Loader } from './data/loader.ts';
import { openLoader, openStageData, type StageData } from './data/stage-data.ts';
import { dryRun } from './dry-run.ts';
import { Learner } from './learner.ts';
import { stepFacts } from './parallel/facts.ts';
import type { Ranks } from './parallel/ranks.ts';
import { openRanks } from './parallel/sequence.ts';
import { openShardGroups, shardingOf } from './parallel/sharding.ts';
import { Refusals } from './refusals.ts';
import type { FoundCheckpoint } from './saving/checkpoints.ts';
import { Saver } from './saving/saver.ts';
import type { PreparedStage } from './stage.ts';
import { type StepResult, trainStep } from './step.ts';
import type { TrainOptions } from './train-options.ts';
import { gaugeOf } from './watch/gauge.ts';
import { Meter } from './watch/meter.ts';
import { RefusedStep } from './watch/refused.ts';

/** What a stage starts from. */
export interface Start {
  readonly model: OneVision;
  /** The same weights before they were rounded to the stage's precision. */
  readonly exact: OneVision;
  /** The checkpoint inside the stage to go on from. */
  readonly from: FoundCheckpoint | undefined;
}

export class StageTrainer {
  readonly #options: TrainOptions;
  readonly #stage: PreparedStage;
  readonly #data: StageData;
  readonly #ranks: Ranks;
  readonly #learner: Learner;
  readonly #loader: Loader;
  readonly #meter: Meter;
  readonly #saver: Saver;
  readonly #refusals: Refusals;
  #stageStep: number;

  private constructor(
    options: TrainOptions,
    stage: PreparedStage,
    start: Start,
    ranks: Ranks,
    data: StageData,
  ) {
    const { model, exact, from } = start;
    const { group, run, tokenizer } = options;
    const { config } = stage;
    const { processor } = data.facts;
    const sharding =
      group === undefined ? undefined : shardingOf(openShardGroups(group, config), config);
    const learner = new Learner(model, config, exact.namedParameters(), sharding);
    const saver = new Saver({ run, learner, ranks, tokenizer, processor, keep: config });
    const before = from?.state;
    this.#options = options;
    this.#stage = stage;
    this.#data = data;
    this.#ranks = ranks;
    this.#learner = learner;
    this.#saver = saver;
    this.#stageStep = before?.stageStep ?? 0;
    this.#meter = new Meter(gaugeOf(model, config, ranks.size), before);
    this.#refusals = new Refusals({ ...options, stage, ranks, learner, saver, before });
    this.#loader = openLoader(stage, data, { tokenizer, ranks, firstStep: this.#stageStep });
  }

  /** @throws OneVisionError 'memory' where the largest micro-batch does not fit */
  static async open(
    options: TrainOptions,
    stage: PreparedStage,
    start: Start,
  ): Promise<StageTrainer> {
    const ranks = openRanks(options.group, stage.config, start.model.config);
    const data = await openStageData(stage, options, ranks);
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
      this.#saver.abandon();
      throw error;
    }
  }

  async #run(caught: () => NodeJS.Signals | undefined): Promise<void> {
    const { config, name } = this.#stage;
    let saved = this.#stageStep;
    while (this.#stageStep < config.steps) {
      await this.#trainStep();
      await setImmediate(); // lets signals, the terminal and a checkpoint being written in
      this.#saver.check();
      const signals = this.#ranks.exchange(caught() ?? null, 'signals');
      const signal = signals.find((one) => one !== null) ?? undefined;
      if (this.#stageStep % config.saveEvery === 0 || signal !== undefined) {
        await this.#save();
        saved = this.#stageStep;
      }
      if (signal !== undefined) await this.#interrupt(signal);
    }
    if (saved < this.#stageStep) await this.#save();
    await this.#saver.settle();
    this.#ranks.exchange(null, 'end of the stage');
    this.#learner.shards?.keepWhole();
    this.#options.run.logEvent('stage-end', { stage: name, step: this.#step });
  }

  async close(): Promise<void> {
    // A checkpoint that is being written is finished even where training has failed.
    await this.#saver.settle().catch(() => undefined);
    this.#learner[Symbol.dispose]();
    await this.#loader.close();
  }

  /** The next step: its packs, the update, what is told of it. */
  async #trainStep(): Promise<void> {
    const { config } = this.#stage;
    const loaded = await this.#loader.next();
    const facts = stepFacts(loaded, this.#data.dealing.costs(loaded.entries), this.#ranks);
    this.#refusals.count(this.#step + 1, facts.numGood, facts.skipped);
    const lr = learningRate(config, this.#stageStep);
    const result = await this.#update(loaded.packs, lr);
    this.#stageStep += 1;
    if (result === undefined) return;
    this.#meter.add(facts, result);
    if (this.#stageStep % config.logEvery === 0 || this.#stageStep === config.steps) {
      this.#log({ ...result, lr });
    }
    this.#options.onStep?.(this.#step, result);
    await this.#generate();
  }

  /** @returns undefined where the step was refused and left out */
  async #update(
    packs: Parameters<typeof trainStep>[0],
    lr: number,
  ): Promise<StepResult | undefined> {
    const { microBatchPacks, matmul, recompute, optimizer, lossWeighting } = this.#stage.config;
    const step = this.#step + 1;
    try {
      const result = trainStep(packs, lr, {
        ...this.#learner,
        ranks: this.#ranks,
        microBatchPacks,
        matmul,
        reduction: lossWeighting === 'pack-mean' ? 'pack-mean' : 'token-mean',
        recompute,
        clip: optimizer.clip,
        judge: (numbers, worst) => this.#refusals.judge(step, numbers, worst),
      });
      this.#learner.average();
      return result;
    } catch (error) {
      if (!(error instanceof RefusedStep)) throw error;
      await this.#refusals.settle(step, error);
      return undefined;
    }
  }

  #log(last: StepResult & { readonly lr: number }): void {
    const { name } = this.#stage;
    const { run, log, stages } = this.#options;
    const metrics = {
      ...this.#meter.take(last),
      'data/num_skipped': this.#refusals.state.numSkipped,
      'data/pack_fill': this.#data.facts.fill,
    };
    run.logMetrics(this.#step, name, metrics);
    const totalSteps = stages.reduce((sum, { config }) => sum + config.steps, 0);
    const left = (totalSteps - this.#step) * ((metrics['perf/step_ms'] ?? 0) / 1000);
    const stage = name.padEnd(Math.max(...stages.map((other) => other.name.length)));
    log.info(formatStepLine({ stage, step: this.#step, totalSteps, metrics, etaS: left }));
  }

  /** What the model says on the recipe's prompts, every so many steps. */
  async #generate(): Promise<void> {
    const { run, generate } = this.#options;
    if (generate === undefined || this.#step % generate.every !== 0) return;
    using _weights = this.#learner.copies.open();
    if (this.#ranks.rank > 0) return;
    await run.writeGenerated(this.#step, await generate.rows(this.#learner.model));
  }

  async #save(): Promise<void> {
    const { name, config, historyHash } = this.#stage;
    await this.#saver.begin({
      format: 'onevision-state/1',
      step: this.#step,
      stage: name,
      stageStep: this.#stageStep,
      stageSteps: config.steps,
      historyHash,
      ...this.#meter.state,
      ...this.#refusals.state,
    });
  }

  async #interrupt(signal: NodeJS.Signals): Promise<never> {
    await this.#saver.settle();
    throw new OneVisionError('interrupted', `stopped by ${signal} after step ${this.#step}`, {
      hint: 'run the same command again to go on from there',
    });
  }
}

function learningRate({ optimizer, steps }: TrainConfig, step: number): number {
  const { lr: peak, minLr: min, warmup } = optimizer;
  return cosineLr(step, { peak, min, warmupSteps: Math.ceil(warmup * steps), totalSteps: steps });
}
