// Central differences against autograd, in float64. For tests only.

import assert from 'node:assert/strict';
import { createRandom } from '../../src/core/hash.ts';
import {
  fromArray,
  gradients,
  noGrad,
  setNumThreads,
  type Tensor,
  tidy,
} from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';

// Tensors of a few elements: a second thread would only wait.
setNumThreads(1);

/** A float64 leaf of standard normals times `scale`. */
export function randomLeaf(name: string, shape: readonly number[], scale = 1): Tensor {
  const random = createRandom('leaf', name);
  const length = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length }, () => scale * random.normal());
  return fromArray(data, shape, { requiresGrad: true });
}

/** Numbers as a float64 leaf. */
export function leafOf(data: readonly number[], shape: readonly number[]): Tensor {
  return fromArray(Float64Array.from(data), shape, { requiresGrad: true });
}

/**
 * For each input, the derivative of `loss` along random directions by central differences must
 * equal autograd's. Every element of the input has its part in it.
 */
export function checkGradients(
  inputs: Readonly<Record<string, Tensor>>,
  loss: () => Tensor,
  { step = 1e-5, tolerance = 1e-6 }: { step?: number; tolerance?: number } = {},
): void {
  const names = Object.keys(inputs);
  const grads = tidy(() => gradients(loss(), Object.values(inputs)).map((g) => g?.toNumbers()));
  for (const [i, name] of names.entries()) {
    const input = inputs[name] as Tensor;
    const gradient = grads[i];
    assert.ok(gradient, `${name} has a gradient`);
    for (let trial = 0; trial < 2; trial++) {
      const random = createRandom('direction', name, trial);
      const direction = Float64Array.from({ length: input.numel }, () => random.normal());
      const along = (amount: number): number => {
        return tidy(() =>
          noGrad(() => {
            const delta = ops.mulScalar(fromArray(direction, input.shape), amount);
            ops.add_(input, delta);
            const value = loss().item();
            ops.sub_(input, delta);
            return value;
          }),
        );
      };
      const numeric = (along(step) - along(-step)) / (2 * step);
      const exact = gradient.reduce((sum, g, j) => sum + g * (direction[j] as number), 0);
      const scale = Math.max(1e-2, Math.abs(numeric), Math.abs(exact));
      assert.ok(
        Math.abs(numeric - exact) / scale < tolerance,
        `${name}: central difference ${numeric}, autograd ${exact}`,
      );
    }
  }
}

/** A scalar that depends on every element of `x` in its own way. */
export function project(x: Tensor): Tensor {
  const random = createRandom('project', x.numel);
  const weights = Float64Array.from({ length: x.numel }, () => random.normal());
  return ops.sum(ops.mul(x, fromArray(weights, x.shape, { dtype: x.dtype })));
}

/** Largest absolute difference of two tensors or arrays. */
export function maxDifference(
  a: Tensor | ArrayLike<number>,
  b: Tensor | ArrayLike<number>,
): number {
  const [x, y] = [a, b].map((side) => ('toNumbers' in side ? side.toNumbers() : side));
  assert.equal(x?.length, y?.length);
  let most = 0;
  for (let i = 0; i < (x?.length ?? 0); i++) {
    most = Math.max(most, Math.abs(Number(x?.[i]) - Number(y?.[i])));
  }
  return most;
}
