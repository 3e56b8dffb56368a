// One training step: forward and backward over the micro-batches, clip, update. Knows nothing of
// files, logs or stages.

import { OneVisionError } from '../core/errors.ts';
import type { Batch } from '../model/batch.ts';
import type { OneVision, RecomputeParts } from '../model/onevision.ts';
import type { Copies } from '../nn/optim/copies.ts';
import { clipGradNorm, type Optimizer } from '../nn/optim/optimizer.ts';
import { backward, synchronize, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { PARTS, type Part } from './config.ts';
import { type AssembledPack, joinBatches, sumWeights } from './data/segments.ts';
import { partOf } from './optimizer.ts';
import { ALONE, ofOwners, type Ranks } from './parallel/ranks.ts';
import { LossLog, type LossSum, mergeLosses, type RankLosses, worstOf } from './watch/losses.ts';
import { NumericsError, nameSamples, SpikeError } from './watch/refused.ts';
import type { StepNumbers } from './watch/spikes.ts';

export interface StepOptions {
  readonly model: OneVision;
  readonly optimizer: Optimizer;
  /** What the optimizer works on. */
  readonly copies: Copies;
  readonly microBatchPacks: number;
  /** Who else trains on the packs of this step. Default: nobody. */
  readonly ranks?: Ranks | undefined;
  /** What linear layers multiply in. Default float32. */
  readonly matmul?: 'float32' | 'bfloat16';
  /** What losses are averaged over. Default: the tokens of the global batch. */
  readonly reduction?: 'token-mean' | 'pack-mean';
  /** What backward computes again. Default: nothing. */
  readonly recompute?: RecomputeParts | undefined;
  /** Largest gradient norm; 0 does not clip. */
  readonly clip: number;
  /** Says why a step is refused before a weight changes; `worst` are its samples of highest loss. */
  readonly judge?: (numbers: StepNumbers, worst: readonly string[]) => string | undefined;
}

export interface StepResult {
  /** Weighted mean over the supervised tokens of the global batch. */
  readonly loss: number;
  readonly bySource: ReadonlyMap<string, LossSum>;
  readonly gradNorm: number;
  /** Of each part that is trained. */
  readonly gradNorms: ReadonlyMap<Part, number>;
  readonly forwardMs: number;
  readonly backwardMs: number;
  /** From the own backward to the gradients and losses of all ranks. */
  readonly communicationMs: number;
  readonly optimizerMs: number;
  /** Forward and backward of each rank. */
  readonly computeMs: readonly number[];
}

/**
 * Trains on the packs of one step, of which this process has its share. The loss is
 * Σ wᵢ·(−log pᵢ) / Σ wᵢ over all supervised tokens of the global batch, so neither the number of
 * micro-batches nor that of ranks changes it.
 *
 * @throws OneVisionError 'data' when no token is supervised; 'numerics' when loss or gradient is
 * not finite, before any parameter has changed. All ranks throw alike.
 */
export function trainStep(
  packs: readonly AssembledPack[],
  lr: number,
  options: StepOptions,
): StepResult {
  const { optimizer, copies, clip, ranks = ALONE } = options;
  const share = shareOf(packs, options.microBatchPacks);
  const shares = ofOwners(ranks, ranks.exchange(share, 'packs of the step'));
  const denominator = shares.reduce((sum, { weight }) => sum + weight, 0);
  if (denominator === 0) throw noTargets(shares.flatMap(({ uids }) => uids));
  const own = forwardAndBackward(packs, options, {
    divisor: options.reduction === 'pack-mean' ? sumOf(shares, 'packs') : denominator,
    passes: Math.max(...shares.map(({ passes }) => passes)),
  });
  const start = performance.now();
  copies.finish();
  const everywhere = ranks.exchange(own, 'losses of the step');
  const all = ofOwners(ranks, everywhere);
  const summed = performance.now();
  const losses = mergeLosses(all);
  const loss = losses.values().reduce((sum, part) => sum + part.sum, 0) / denominator;
  const common = (norm: number): number => copies.commonNorm(norm);
  const most = clip > 0 ? clip : Number.POSITIVE_INFINITY;
  const norms = clipGradNorm(copies.tensors, most, common);
  const gradNorm = norms.all;
  if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
    copies.clear();
    const bad = all.flatMap((part) => part.bad);
    const uids = bad.length > 0 ? bad : shares.flatMap((share) => share.uids);
    throw new NumericsError(loss, gradNorm, uids);
  }
  const worst = worstOf(all);
  const spike = options.judge?.({ loss, gradNorm }, worst);
  if (spike !== undefined) {
    copies.clear();
    throw new SpikeError(spike, worst);
  }
  const gradNorms = normsOfParts(norms.each, common);
  optimizer.step(lr);
  copies.publish();
  copies.clear();
  synchronize(options.model.device);
  const computeMs = everywhere.map(({ forwardMs, backwardMs }) => forwardMs + backwardMs);
  const { forwardMs, backwardMs } = own;
  const optimizerMs = performance.now() - summed;
  const times = { forwardMs, backwardMs, communicationMs: summed - start, optimizerMs, computeMs };
  return { loss, bySource: losses, gradNorm, gradNorms, ...times };
}

/** Every rank asks for every part, in one order, whichever of its tensors it holds. */
function normsOfParts(
  each: ReadonlyMap<string, number>,
  common: (norm: number) => number,
): Map<Part, number> {
  const norms = PARTS.map((part): [Part, number] => {
    const own = [...each].flatMap(([name, norm]) => (partOf(name) === part ? [norm] : []));
    return [part, common(Math.hypot(...own))];
  });
  return new Map(norms.filter(([, norm]) => norm > 0));
}

/** What the ranks tell each other of their packs before a step. */
interface Share {
  readonly weight: number;
  readonly packs: number;
  readonly passes: number;
  readonly uids: readonly string[];
}

function shareOf(packs: readonly AssembledPack[], microBatchPacks: number): Share {
  return {
    weight: sumWeights(packs.map((pack) => pack.batch)),
    packs: packs.length,
    passes: Math.ceil(packs.length / microBatchPacks),
    uids: packs.flatMap((pack) => pack.uids),
  };
}

function sumOf(shares: readonly Share[], key: 'packs' | 'weight'): number {
  return shares.reduce((sum, share) => sum + share[key], 0);
}

/** What comes of the micro-batches of one rank; JSON can hold it. */
interface Passed extends RankLosses {
  readonly forwardMs: number;
  readonly backwardMs: number;
}

function forwardAndBackward(
  packs: readonly AssembledPack[],
  options: StepOptions,
  { divisor, passes }: { readonly divisor: number; readonly passes: number },
): Passed {
  const { model, copies, microBatchPacks } = options;
  const matmul = options.matmul === 'bfloat16' ? 'bfloat16' : null;
  const isPackMean = options.reduction === 'pack-mean';
  const losses = new LossLog();
  const times = { forwardMs: 0, backwardMs: 0 };
  for (let pass = 0; pass < passes; pass += 1) {
    const micro = packs.slice(pass * microBatchPacks, (pass + 1) * microBatchPacks);
    const batches = micro.map(({ batch }) => batch);
    const work = (): void => {
      const batch = joinBatches(isPackMean ? batches.map(toPackMean) : batches);
      const start = performance.now();
      const { recompute, ranks = ALONE } = options;
      const made = model.loss(batch, { recompute, around: copies.around, spread: ranks.spread });
      losses.add(micro, made.losses.toNumbers());
      const middle = performance.now();
      // Without an image nothing leads to a merger or tower that is trained alone.
      if (made.lossSum.requiresGrad) backward(ops.divScalar(made.lossSum, divisor));
      synchronize(model.device);
      times.forwardMs += middle - start;
      times.backwardMs += performance.now() - middle;
    };
    const body = micro.length === 0 ? undefined : () => tidy(work);
    model.multiplyIn(matmul, () => copies.pass(pass + 1 === passes, body));
  }
  return { ...losses.all, ...times };
}

function noTargets(uids: readonly string[]): OneVisionError {
  const where = nameSamples(uids);
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
