// What a stage has done since its last line of metrics, and that line. Measures; decides nothing.

import type { MetricName } from '../../track/metric-names.ts';
import type { StepFacts } from '../parallel/facts.ts';
import type { TrainFlops } from '../price/flops.ts';
import { addWork, NO_WORK, type Work } from '../price/work.ts';
import type { SourceWindow, TrainState } from '../saving/checkpoints.ts';
import type { StepResult } from '../step.ts';

type Metrics = { [name in MetricName]?: number };

/** What turns work into FLOPs, and FLOPs into a share of what the device can do. */
export interface Gauge {
  readonly flopsOf: (work: Work) => TrainFlops;
  /** FLOP/s of the devices of all ranks; undefined where it is not known. */
  readonly peakFlops: number | undefined;
  /** Highest memory in use so far, bytes. */
  readonly peakBytes: () => number;
}

/** Sums over the steps of a log interval. Losses survive a resume, times do not. */
export class Meter {
  /** Tokens trained on since the stage began. */
  #allTokens: number;
  #window: Map<string, SourceWindow>;
  readonly #gauge: Gauge;
  #numSteps = 0;
  #work: Work = NO_WORK;
  #tokens = 0;
  #images = 0;
  #waitMs = 0;
  #forwardMs = 0;
  #backwardMs = 0;
  #optimizerMs = 0;
  #communicationMs = 0;
  #planned = new Balance();
  #measured = new Balance();
  #startMs: number = performance.now();

  /** @param before what the checkpoint that a stage goes on from has of it */
  constructor(gauge: Gauge, before?: Meter['state']) {
    this.#gauge = gauge;
    this.#allTokens = before?.tokens ?? 0;
    this.#window = new Map(Object.entries(before?.window ?? {}));
  }

  /** What a checkpoint keeps. */
  get state(): Pick<TrainState, 'tokens' | 'window'> {
    return { tokens: this.#allTokens, window: Object.fromEntries(this.#window) };
  }

  /** Adds a step of all ranks. */
  add(facts: StepFacts, result: StepResult): void {
    const tokensOf = new Map(facts.tokensBySource);
    this.#work = addWork(this.#work, facts.work);
    this.#allTokens += facts.tokens;
    this.#tokens += facts.tokens;
    this.#images += facts.images;
    for (const [source, { sum, weight }] of result.bySource) {
      const before = this.#window.get(source) ?? { sum: 0, weight: 0, tokens: 0 };
      this.#window.set(source, {
        sum: before.sum + sum,
        weight: before.weight + weight,
        tokens: before.tokens + (tokensOf.get(source) ?? 0),
      });
    }
    this.#numSteps += 1;
    this.#waitMs += facts.waitMs;
    this.#planned.add(facts.costs);
    this.#measured.add(result.computeMs);
    this.#forwardMs += result.forwardMs;
    this.#backwardMs += result.backwardMs;
    this.#optimizerMs += result.optimizerMs;
    this.#communicationMs += result.communicationMs;
  }

  /** The metrics since the last call, with those of the last step; starts a new interval. */
  take(last: Pick<StepResult, 'gradNorm' | 'gradNorms'> & { readonly lr: number }): Metrics {
    const elapsedMs = performance.now() - this.#startMs;
    const steps = Math.max(1, this.#numSteps);
    const all = [...this.#window.values()];
    const weight = all.reduce((sum, part) => sum + part.weight, 0);
    const tokens = all.reduce((sum, part) => sum + part.tokens, 0);
    const metrics: Metrics = {
      'train/loss': all.reduce((sum, part) => sum + part.sum, 0) / weight,
      'train/lr': last.lr,
      'train/grad_norm': last.gradNorm,
      'train/tokens': this.#allTokens,
      'perf/tokens_per_s': (1000 * this.#tokens) / elapsedMs,
      'perf/images_per_s': (1000 * this.#images) / elapsedMs,
      'perf/step_ms': elapsedMs / steps,
      'perf/data_wait_pct': (100 * this.#waitMs) / elapsedMs,
      'perf/forward_ms': this.#forwardMs / steps,
      'perf/backward_ms': this.#backwardMs / steps,
      'perf/optimizer_ms': this.#optimizerMs / steps,
      ...this.#flops(elapsedMs / 1000),
      'mem/peak_gib': this.#gauge.peakBytes() / 2 ** 30,
    };
    for (const [part, norm] of last.gradNorms) metrics[`train/grad_norm_${part}`] = norm;
    if (this.#measured.ranks > 1) {
      metrics['perf/communication_ms'] = this.#communicationMs / steps;
      metrics['perf/balance'] = this.#measured.share;
      metrics['perf/balance_planned'] = this.#planned.share;
    }
    for (const [source, part] of this.#window) {
      metrics[`train/loss_${source}`] = part.sum / part.weight;
      metrics[`data/mix_${source}`] = part.tokens / tokens;
    }
    this.#reset();
    return metrics;
  }

  #flops(seconds: number): Metrics {
    const { flopsOf, peakFlops } = this.#gauge;
    const { model, hardware } = flopsOf(this.#work);
    const speed = { 'perf/tflops': model / seconds / 1e12 };
    if (peakFlops === undefined) return speed;
    const most = peakFlops * seconds;
    return { ...speed, 'perf/mfu': model / most, 'perf/hfu': hardware / most };
  }

  #reset(): void {
    this.#work = NO_WORK;
    this.#window = new Map();
    this.#numSteps = 0;
    this.#tokens = 0;
    this.#images = 0;
    this.#waitMs = 0;
    this.#forwardMs = 0;
    this.#backwardMs = 0;
    this.#optimizerMs = 0;
    this.#communicationMs = 0;
    this.#planned = new Balance();
    this.#measured = new Balance();
    this.#startMs = performance.now();
  }
}

/** How evenly ranks are loaded: Σ mean / Σ max over steps, 1 where none waits. */
class Balance {
  ranks = 0;
  #means = 0;
  #maxima = 0;

  add(loads: readonly number[]): void {
    this.ranks = loads.length;
    this.#means += loads.reduce((sum, load) => sum + load, 0) / loads.length;
    this.#maxima += Math.max(...loads);
  }

  get share(): number {
    return this.#maxima === 0 ? 1 : this.#means / this.#maxima;
  }
}
