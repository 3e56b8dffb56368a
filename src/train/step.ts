// One training step: forward and backward over the micro-batches, clip, update. Knows nothing of
// files, logs or stages.

import { OneVisionError } from '../core/errors.ts';
import { type Batch, NO_TARGET } from '../model/batch.ts';
import type { OneVision, RecomputeParts } from '../model/onevision.ts';
import type { Masters } from '../nn/optim/masters.ts';
import { clipGradNorm, type Optimizer, zeroGradients } from '../nn/optim/optimizer.ts';
import { backward, synchronize, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type AssembledPack, joinBatches, sumWeights } from './data/segments.ts';

export interface StepOptions {
  readonly model: OneVision;
  readonly optimizer: Optimizer;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** float32 copies of the parameters that the optimizer works on. */
  readonly masters?: Masters | undefined;
  readonly microBatchPacks: number;
  /** What linear layers multiply in. Default float32. */
  readonly matmul?: 'float32' | 'bfloat16';
  /** What losses are averaged over. Default: the tokens of the global batch. */
  readonly reduction?: 'token-mean' | 'pack-mean';
  /** What backward computes again. Default: nothing. */
  readonly recompute?: RecomputeParts | undefined;
  /** Largest gradient norm; 0 does not clip. */
  readonly clip: number;
}

/** Σ weight · loss and Σ weight of some tokens. */
export interface LossSum {
  sum: number;
  weight: number;
}

export interface StepResult {
  /** Weighted mean over the supervised tokens of the global batch. */
  readonly loss: number;
  readonly bySource: ReadonlyMap<string, LossSum>;
  readonly gradNorm: number;
  readonly forwardMs: number;
  readonly backwardMs: number;
  readonly optimizerMs: number;
}

/**
 * Trains on the packs of one step. The loss is Σ wᵢ·(−log pᵢ) / Σ wᵢ over all supervised tokens of
 * the global batch, so the number of micro-batches does not change it.
 *
 * @throws OneVisionError 'data' when no token is supervised; 'numerics' when loss or gradient is
 * not finite, before any parameter has changed.
 */
export function trainStep(
  packs: readonly AssembledPack[],
  lr: number,
  options: StepOptions,
): StepResult {
  const { model, optimizer, parameters, masters, clip } = options;
  const matmul = options.matmul === 'bfloat16' ? 'bfloat16' : null;
  const denominator = sumWeights(packs.map((pack) => pack.batch));
  if (denominator === 0) throw noTargets(packs);
  const losses = new LossLog();
  const times = { forwardMs: 0, backwardMs: 0 };
  for (let first = 0; first < packs.length; first += options.microBatchPacks) {
    const micro = packs.slice(first, first + options.microBatchPacks);
    const batches = micro.map(({ batch }) => batch);
    const isPackMean = options.reduction === 'pack-mean';
    const batch = joinBatches(isPackMean ? batches.map(toPackMean) : batches);
    const work = (): void => {
      const start = performance.now();
      const made = model.loss(batch, { recompute: options.recompute });
      losses.add(micro, made.losses.toNumbers());
      const middle = performance.now();
      // Without an image nothing leads to a merger or tower that is trained alone.
      const divisor = isPackMean ? packs.length : denominator;
      if (made.lossSum.requiresGrad) backward(ops.divScalar(made.lossSum, divisor));
      synchronize(model.device);
      times.forwardMs += middle - start;
      times.backwardMs += performance.now() - middle;
    };
    model.multiplyIn(matmul, () => tidy(work));
    masters?.collect();
  }
  const loss = losses.sum / denominator;
  const start = performance.now();
  const learned = (masters?.tensors ?? parameters).values().toArray();
  const gradNorm = clipGradNorm(learned, clip > 0 ? clip : Number.POSITIVE_INFINITY);
  if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
    zeroGradients(learned);
    const uids = losses.bad.length > 0 ? losses.bad : packs.flatMap((pack) => pack.uids);
    throw new NumericsError(loss, gradNorm, uids);
  }
  optimizer.step(lr);
  masters?.publish();
  zeroGradients(learned);
  synchronize(model.device);
  const optimizerMs = performance.now() - start;
  return { loss, bySource: losses.bySource, gradNorm, ...times, optimizerMs };
}

/** A loss or a gradient that is not finite, with the samples it came from. */
export class NumericsError extends OneVisionError {
  readonly uids: readonly string[];

  constructor(loss: number, gradNorm: number, uids: readonly string[]) {
    super(
      'numerics',
      `expected a finite loss and gradient, came loss ${loss} and gradient norm ${gradNorm} ` +
        `from ${nameSamples(uids)}`,
      { hint: 'lower the learning rate, or look at these samples: the weights are still good' },
    );
    this.uids = uids;
  }
}

function noTargets(packs: readonly AssembledPack[]): OneVisionError {
  const where = nameSamples(packs.flatMap((pack) => pack.uids));
  return new OneVisionError('data', `expected supervised tokens in ${where}, came none`, {
    hint: 'every pack needs an assistant turn; see events.jsonl for skipped samples',
  });
}

/** A pack whose weights sum to 1: its tokens count as one mean. */
function toPackMean(batch: Required<Batch>): Required<Batch> {
  const sum = sumWeights([batch]);
  const lossWeights = batch.lossWeights.map((weight) => (sum > 0 ? weight / sum : 0));
  return { ...batch, lossWeights };
}

/** Losses of a step by source, and the samples whose loss is not finite. */
class LossLog {
  readonly bySource: Map<string, LossSum> = new Map();
  readonly bad: string[] = [];

  get sum(): number {
    return this.bySource.values().reduce((total, { sum }) => total + sum, 0);
  }

  /** Adds a micro-batch: its losses in order of its supervised tokens. */
  add(packs: readonly AssembledPack[], losses: readonly number[]): void {
    let next = 0;
    for (const { batch, sources, uids } of packs) {
      sources.forEach((source, segment) => {
        const total = this.bySource.get(source) ?? { sum: 0, weight: 0 };
        const end = batch.cuSeqlens[segment + 1] ?? 0;
        let allFinite = true;
        for (let i = batch.cuSeqlens[segment] ?? 0; i < end; i += 1) {
          if (batch.targets[i] === NO_TARGET) continue;
          const weight = batch.lossWeights[i] ?? 1;
          const loss = losses[next] ?? Number.NaN;
          allFinite &&= Number.isFinite(loss);
          total.sum += weight * loss;
          total.weight += weight;
          next += 1;
        }
        if (!allFinite) this.bad.push(uids[segment] ?? source);
        this.bySource.set(source, total);
      });
    }
  }
}

function nameSamples(uids: readonly string[]): string {
  const shown = uids.slice(0, 8).join(', ');
  return uids.length > 8 ? `${uids.length} samples: ${shown}, …` : `samples ${shown}`;
}
