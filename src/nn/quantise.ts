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

export interface Int8Options {
  /** The output head is the table of embeddings: then that is rounded too, for both its uses. */
  readonly tiedHead: boolean;
}

/**
 * A source whose linear layers and stacked experts hold int8. Norms, biases and routers, which decide
 * more than they weigh, are as they were, and so are embeddings that are no head.
 */
export function int8Weights(source: ParameterSource, { tiedHead }: Int8Options): ParameterSource {
  const scales = new Map<string, Tensor>();
  return (name, shape, init) => {
    const known = scales.get(name);
    if (known !== undefined) return known;
    const tensor = source(name, shape, init);
    if (!isRounded(name, shape, tiedHead)) return tensor;
    const { weight, scale } = tidy(() => {
      const columns = shape.at(-1) ?? 1;
      const rows = quantiseRows(ops.reshape(tensor, [-1, columns]));
      const [bytes, factors] = [
        ops.view(rows.weight, shape),
        ops.view(rows.scale, shape.slice(0, -1)),
      ];
      return { weight: keep(bytes), scale: keep(factors) };
    });
    scales.set(`${name}_scale`, scale);
    tensor.dispose();
    return weight;
  };
}

function isRounded(name: string, shape: readonly number[], tiedHead: boolean): boolean {
  if (/\.experts\.(gate_up|down)_proj$/.test(name)) return true;
  if (shape.length !== 2 || !name.endsWith('.weight')) return false;
  if (name.endsWith('embed_tokens.weight')) return tiedHead;
  return !name.endsWith('.mlp.gate.weight');
}
