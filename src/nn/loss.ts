// Cross entropy over chosen rows. Not a reduction over the batch: the caller divides.
// Shapes: logits [targets, vocab]; targets [targets]; weights [targets].

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';

const REDUCTION_NONE = 0;
const REDUCTION_SUM = 2;

/**
 * −Σ wᵢ log p(targetᵢ). Half-precision logits are widened to float32 first.
 * @param weights one weight per target; without them every target counts 1.
 * @returns a scalar.
 */
export function crossEntropySum(logits: Tensor, targets: Tensor, weights?: Tensor): Tensor {
  if (weights === undefined) {
    return ops.crossEntropyLoss(widen(logits), targets, { reduction: REDUCTION_SUM });
  }
  return ops.sum(ops.mul(crossEntropyEach(logits, targets), weights));
}

/** −log p(targetᵢ) for each row: [targets]. */
export function crossEntropyEach(logits: Tensor, targets: Tensor): Tensor {
  return ops.crossEntropyLoss(widen(logits), targets, { reduction: REDUCTION_NONE });
}

/** Half precision as float32, other types as they are. */
export function widen(logits: Tensor): Tensor {
  const half = logits.dtype === 'bfloat16' || logits.dtype === 'float16';
  return half ? ops.toCopy(logits, { dtype: 'float32' }) : logits;
}
