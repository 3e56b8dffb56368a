// How likely a model finds given replies. Not a benchmark and not a metric.

import { crossEntropyEach } from '../nn/loss.ts';
import { fromArray, noGrad, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type Batch, makeBatch, type Segment, targetPositions } from './batch.ts';
import type { OneVision } from './onevision.ts';

/** Log-probability of the supervised tokens of one segment (natural logarithm). */
export interface SegmentScore {
  readonly sum: number;
  /** sum / numTargets; 0 for a segment without targets. */
  readonly mean: number;
  readonly numTargets: number;
}

/** Rows of logits held at a time. */
const ROWS_AT_ONCE = 1024;

/** log p of every target of a batch, in order of position: [targets]. */
export function tokenLogProbs(model: OneVision, batch: Batch): Float32Array {
  const positions = targetPositions(batch.targets);
  const out = new Float32Array(positions.length);
  if (positions.length === 0) return out;
  noGrad(() =>
    tidy(() => {
      const hidden = model.featuresAt(batch, positions);
      for (let start = 0; start < positions.length; start += ROWS_AT_ONCE) {
        const chosen = positions.subarray(start, start + ROWS_AT_ONCE);
        const losses = tidy(() => {
          const logits = model.logits(ops.narrow(hidden, 0, start, chosen.length));
          const targets = BigInt64Array.from(chosen, (i) => BigInt(batch.targets[i] as number));
          const { device } = model;
          return crossEntropyEach(logits, fromArray(targets, [chosen.length], { device }));
        });
        const values = losses.toArray() as Float32Array;
        for (const [i, loss] of values.entries()) out[start + i] = -loss;
      }
    }),
  );
  return out;
}

/**
 * Score replies: each segment is a conversation whose targets are the reply (`encodeChat`).
 * @returns one score per segment, in order.
 */
export function scoreSegments(model: OneVision, segments: readonly Segment[]): SegmentScore[] {
  const batch = makeBatch(segments);
  const logProbs = tokenLogProbs(model, batch);
  let at = 0;
  return segments.map(({ targets }) => {
    const numTargets = targets === undefined ? 0 : targetPositions(targets).length;
    let sum = 0;
    for (let i = 0; i < numTargets; i++) sum += logProbs[at++] as number;
    return { sum, mean: numTargets === 0 ? 0 : sum / numTargets, numTargets };
  });
}
