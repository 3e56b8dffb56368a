// One training step: forward and backward over the micro-batches, clip, update. Knows nothing of
// files, logs or stages.

import { OneVisionError } from '../core/errors.ts';
import { NO_TARGET } from '../model/batch.ts';
import type { OneVision } from '../model/onevision.ts';
import { clipGradNorm, type Optimizer, zeroGradients } from '../nn/optim/optimizer.ts';
import { backward, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type AssembledPack, joinBatches, sumWeights } from './data/segments.ts';

export interface StepOptions {
  readonly model: OneVision;
  readonly optimizer: Optimizer;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly microBatchPacks: number;
  /** What linear layers multiply in. Default float32. */
  readonly matmul?: 'float32' | 'bfloat16';
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
  const { model, optimizer, parameters, clip } = options;
  const matmul = options.matmul === 'bfloat16' ? 'bfloat16' : null;
  const denominator = sumWeights(packs.map((pack) => pack.batch));
  if (denominator === 0) {
    throw new OneVisionError(
      'data',
      `expected supervised tokens in ${nameSamples(packs)}, came none`,
      {
        hint: 'every pack needs an assistant turn; see events.jsonl for skipped samples',
      },
    );
  }
  const bySource = new Map<string, LossSum>();
  let forwardMs = 0;
  let backwardMs = 0;
  for (let first = 0; first < packs.length; first += options.microBatchPacks) {
    const micro = packs.slice(first, first + options.microBatchPacks);
    const batch = joinBatches(micro.map((pack) => pack.batch));
    tidy(() => {
      const start = performance.now();
      const { lossSum, losses } = model.loss(batch, { matmul });
      addLosses(bySource, micro, losses.toNumbers());
      const middle = performance.now();
      // Without an image nothing leads to a merger or tower that is trained alone.
      if (lossSum.requiresGrad) backward(ops.divScalar(lossSum, denominator));
      forwardMs += middle - start;
      backwardMs += performance.now() - middle;
    });
  }
  const loss = [...bySource.values()].reduce((sum, part) => sum + part.sum, 0) / denominator;
  const start = performance.now();
  const gradNorm = clipGradNorm(parameters.values(), clip > 0 ? clip : Number.POSITIVE_INFINITY);
  if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
    throw new OneVisionError(
      'numerics',
      `expected a finite loss and gradient, came loss ${loss} and gradient norm ${gradNorm} ` +
        `from ${nameSamples(packs)}`,
      { hint: 'lower the learning rate, or look at these samples: the weights are still good' },
    );
  }
  optimizer.step(lr);
  zeroGradients(parameters.values());
  return {
    loss,
    bySource,
    gradNorm,
    forwardMs,
    backwardMs,
    optimizerMs: performance.now() - start,
  };
}

/** Adds the losses of a micro-batch, in order of its supervised tokens, to their sources. */
function addLosses(
  bySource: Map<string, LossSum>,
  packs: readonly AssembledPack[],
  losses: readonly number[],
): void {
  let next = 0;
  for (const { batch, sources } of packs) {
    sources.forEach((source, segment) => {
      const total = bySource.get(source) ?? { sum: 0, weight: 0 };
      const end = batch.cuSeqlens[segment + 1] ?? 0;
      for (let i = batch.cuSeqlens[segment] ?? 0; i < end; i += 1) {
        if (batch.targets[i] === NO_TARGET) continue;
        const weight = batch.lossWeights[i] ?? 1;
        total.sum += weight * (losses[next] ?? Number.NaN);
        total.weight += weight;
        next += 1;
      }
      bySource.set(source, total);
    });
  }
}

function nameSamples(packs: readonly AssembledPack[]): string {
  const uids = packs.flatMap((pack) => pack.uids);
  const shown = uids.slice(0, 8).join(', ');
  return uids.length > 8 ? `${uids.length} samples: ${shown}, …` : `samples ${shown}`;
}
