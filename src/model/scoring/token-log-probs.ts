// How likely a model finds the targets of a batch.

import { crossEntropyEach } from '../../nn/loss.ts';
import { fromArray, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { type Batch, targetPositions } from '../batch.ts';
import type { OneVision } from '../onevision.ts';

/** Rows of logits held at a time. */
const ROWS_AT_ONCE = 1024;
/** log p of every target of a batch, in order of position: [targets]. */
export function tokenLogProbs(model: OneVision, batch: Batch): Float32Array {
  const positions = targetPositions(batch.targets);
  const targets = positions.map((position) => batch.targets[position] as number);
  if (targets.length === 0) return new Float32Array();
  return noGrad(() => tidy(() => logProbsAt(model, model.featuresAt(batch, positions), targets)));
}

/** log p of the target of each row: hidden states [n, hidden] → [n]. */
export function logProbsAt(model: OneVision, hidden: Tensor, targets: Int32Array): Float32Array {
  const out = new Float32Array(targets.length);
  for (let start = 0; start < targets.length; start += ROWS_AT_ONCE) {
    const ids = BigInt64Array.from(targets.subarray(start, start + ROWS_AT_ONCE), BigInt);
    const losses = tidy(() => {
      const logits = model.logits(ops.narrow(hidden, 0, start, ids.length));
      return crossEntropyEach(logits, fromArray(ids, [ids.length], { device: model.device }));
    });
    const values = losses.toArray() as Float32Array;
    for (const [i, loss] of values.entries()) out[start + i] = -loss;
  }
  return out;
}
