// Weight-only int8: the weights of linear layers as bytes with one scale for each output, for
// chat on small machines. Activations and everything else keep their type. Not for training.
// Shapes: weight [out, in], scale [out].

import { keep, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { ParameterSource } from './module.ts';

/** w ≈ scale · q with q in −127…127. */
export interface QuantisedWeight {
  readonly weight: Tensor;
  readonly scale: Tensor;
}

/** Elements widened to float32 at a time, so that no second copy of a large matrix is made. */
const ELEMENTS_AT_ONCE = 1 << 24;

/** Round each row of a matrix to int8: scale = max |row| / 127, nearest with halves to even. */
export function quantiseRows(weight: Tensor): QuantisedWeight {
  const [numOut = 0, numIn = 1] = weight.shape;
  const { device } = weight;
  return noGrad(() =>
    tidy(() => {
      const bytes = ops.empty([numOut, numIn], { dtype: 'int8', device });
      const scale = ops.empty([numOut], { dtype: 'float32', device });
      const step = Math.max(1, Math.floor(ELEMENTS_AT_ONCE / numIn));
      for (let start = 0; start < numOut; start += step) {
        const count = Math.min(step, numOut - start);
        tidy(() => {
          const rows = ops.toCopy(ops.narrow(weight, 0, start, count), { dtype: 'float32' });
          const largest = ops.amax(ops.abs(rows), { dim: [1] });
          const scales = ops.clamp(ops.divScalar(largest, 127), { min: 1e-30 });
          ops.copy_(ops.narrow(scale, 0, start, count), scales);
          const rounded = ops.round(ops.div(rows, ops.unsqueeze(scales, 1)));
          ops.copy_(ops.narrow(bytes, 0, start, count), rounded);
        });
      }
      return { weight: bytes, scale };
    }),
  );
}

/** A source whose linear layers hold int8. Embeddings, norms and biases are as they were. */
export function int8Weights(source: ParameterSource): ParameterSource {
  const scales = new Map<string, Tensor>();
  return (name, shape, init) => {
    const known = scales.get(name);
    if (known !== undefined) return known;
    const tensor = source(name, shape, init);
    const isLinear = shape.length === 2 && name.endsWith('.weight') && !/embed_tokens/.test(name);
    if (!isLinear) return tensor;
    const { weight, scale } = keep(quantiseRows(tensor));
    scales.set(`${name}_scale`, scale);
    tensor.dispose();
    return weight;
  };
}
