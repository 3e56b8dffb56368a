// Rounding to bfloat16 up or down by chance, in proportion to the distance: right on average, so that
// updates below half a step are not lost (Zamirai et al. 2020).

import type { Generator, Tensor } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

/** Bits of a float32 that bfloat16 does not have. */
const LOST_BITS = 16;

/**
 * @param x float32; infinities and NaN stay what they are
 * @param generator draws 16 bits an element
 * @returns bfloat16 of the same shape
 */
export function roundStochastically(x: Tensor, generator: Generator): Tensor {
  const noise = ops.emptyLike(x, { dtype: 'int32' });
  ops.randomFrom_(noise, 0, 2 ** LOST_BITS, { generator });
  const bits = ops.add_(noise, ops.viewDtype(ops.contiguous(x), 'int32'));
  const cut = ops.viewDtype(ops.bitwiseAndScalar_(bits, -(2 ** LOST_BITS)), 'float32');
  const finite = ops.isfinite(x);
  return ops.toCopy(ops.where(finite, cut, x), { dtype: 'bfloat16' });
}
