// The largest pack there can be, forward and backward, before the first step: what does not fit fails
// at once and by name, not after an hour.

import { OneVisionError } from '../core/errors.ts';
import { type Batch, makeBatch, type Segment } from '../model/batch.ts';
import type { OneVision } from '../model/onevision.ts';
import type { PackFacts } from '../pack/read.ts';
import { backward, peakBytes, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { TrainConfig } from './config.ts';
import type { Learner } from './learner.ts';
import { ALONE, type Ranks } from './parallel/ranks.ts';

export interface DryRun {
  /** Tokens and patches of the micro-batch that was run. */
  readonly tokens: number;
  readonly patches: number;
  /** Peak memory so far, GiB: of the device, on the processor of the process. */
  readonly peakGib: number;
}

/**
 * Runs one micro-batch of packs that fill both budgets, every text token supervised. Changes no
 * weight and draws nothing at random.
 * @throws OneVisionError 'memory' with the numbers where it does not fit.
 */
export function dryRun(
  learner: Learner,
  config: TrainConfig,
  facts: PackFacts,
  { spread }: Pick<Ranks, 'spread'> = ALONE,
): DryRun {
  const { model } = learner;
  const batch = largestBatch(model, facts, config.microBatchPacks);
  const [tokens, patches] = [batch.inputIds.length, numPatches(batch)];
  try {
    const { copies } = learner;
    const body = (): void => {
      const { recompute } = config;
      const { lossSum } = model.loss(batch, { recompute, around: copies.around, spread });
      if (lossSum.requiresGrad) backward(ops.mulScalar(lossSum, 0));
    };
    model.multiplyIn(config.matmul === 'bfloat16' ? 'bfloat16' : null, () =>
      copies.pass(true, () => tidy(body)),
    );
    copies.finish();
  } catch (error) {
    if (!(error instanceof OneVisionError) || error.code !== 'memory') throw error;
    throw new OneVisionError(
      'memory',
      `expected the largest micro-batch to fit, ${config.microBatchPacks} packs of together ` +
        `${tokens} tokens and ${patches} patches, came: ${error.message}`,
      {
        hint: "set recompute: { vision: 'full', language: 'full' }, fewer microBatchPacks, or shorter packs",
        cause: error,
      },
    );
  } finally {
    learner.copies.clear();
  }
  return { tokens, patches, peakGib: peakBytes(model.device) / 2 ** 30 };
}

/** Packs with as many patches and tokens as one may hold: square images, then text. */
function largestBatch(model: OneVision, facts: PackFacts, numPacks: number): Batch {
  const { config } = model;
  const { patchSize, mergeSize, maxPixels } = facts.processor;
  const unit = patchSize * mergeSize;
  const side = Math.max(1, Math.floor(Math.sqrt(maxPixels) / unit)) * mergeSize;
  const perImage = side * side;
  const perToken = mergeSize ** 2;
  const most = Math.min(facts.maxPatches, (facts.maxTokens - 2) * perToken);
  const numImages = Math.floor(most / perImage);
  const image = {
    pixels: new Float32Array(perImage * config.vision.inChannels * patchSize ** 2),
    gridH: side,
    gridW: side,
  };
  const segments: Segment[] = [];
  for (let pack = 0; pack < numPacks; pack += 1) {
    const perSegment = Math.max(1, Math.floor(facts.maxTokens / Math.max(1, numImages)));
    for (let i = 0; i < Math.max(1, numImages); i += 1) {
      const imageTokens = numImages > 0 ? perImage / perToken : 0;
      const inputIds = new Int32Array(Math.max(perSegment, imageTokens + 2));
      inputIds.fill(config.imageTokenId, 0, imageTokens);
      const targets = inputIds.map((_, at) => (at < imageTokens ? -100 : config.padTokenId));
      targets[targets.length - 1] = -100;
      inputIds.fill(config.padTokenId, imageTokens);
      segments.push({ inputIds, targets, images: numImages > 0 ? [image] : [] });
    }
  }
  return makeBatch(segments);
}

function numPatches({ grids }: Batch): number {
  let total = 0;
  for (let i = 0; i + 2 < grids.length; i += 3) {
    total += (grids[i] ?? 0) * (grids[i + 1] ?? 0) * (grids[i + 2] ?? 0);
  }
  return total;
}
