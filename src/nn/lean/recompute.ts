// Activation checkpointing: compute a piece of the forward again in the backward instead of keeping
// what it made. Nothing here knows layers; gradients equal those of the plain forward to the bit.

import {
  empty,
  type GradientFunction,
  refill,
  withGradient,
} from '../../tensor/graph/graph-node.ts';
import { backward, enableGrad, keep, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

/**
 * What a block computes again. `none`: nothing. `selective`: norms and activations, which cost
 * little and hold half of a block's memory. `full`: everything, only the block's input is kept.
 */
export type Recompute = 'none' | 'selective' | 'full';

/** One mode for all blocks of a part, or one for each block; the last one counts for the rest. */
export type RecomputeSchedule = Recompute | readonly Recompute[];

/** The mode of one block. */
export function recomputeOf(schedule: RecomputeSchedule | undefined, block: number): Recompute {
  if (schedule === undefined || typeof schedule === 'string') return schedule ?? 'none';
  return schedule[Math.min(block, schedule.length - 1)] ?? 'none';
}

/**
 * body(inputs), keeping the inputs only (Chen et al. 2016): backward runs `body` again.
 * @param body pure: reads its arguments, parameters and constants; every input that needs a
 * gradient is an argument.
 */
export function recomputed<I extends readonly Tensor[]>(
  inputs: readonly [...I],
  body: (...inputs: I) => Tensor,
): Tensor {
  return tidy(() => {
    const output = body(...inputs);
    // Nothing to learn from here back: there is no graph to save.
    if (!output.requiresGrad) return output;
    const needed = inputs.map((input) => input.requiresGrad);
    const [result = output] = withGradient([output], inputs, inputs, (saved, [gradient]) => {
      const leaves = asLeaves<I>(saved, needed);
      const again = enableGrad(() => body(...leaves));
      backward(again, { gradient: gradient as Tensor });
      return leaves.map((leaf) => leaf.grad);
    });
    return result;
  });
}

/**
 * use(body(inputs), inputs) where `use` saves the value of `body` for its own backward, as a linear
 * layer does. The memory of that value is given back after the forward; when the gradient comes to
 * `use`, `body` runs again and fills it (Korthikanti et al. 2022).
 * @param body as for `recomputed`; its value is a tensor of its own, no view of an input
 * @param use takes inputs that it needs too, such as the residual, from its arguments: then their
 * gradients are summed in the order of the plain forward
 */
export function usingRecomputed<I extends readonly Tensor[]>(
  inputs: readonly [...I],
  body: (...inputs: I) => Tensor,
  use: (value: Tensor, ...inputs: I) => Tensor,
): Tensor {
  return tidy(() => {
    const made = body(...inputs);
    const learns = made.requiresGrad;
    const needed = inputs.map((input) => input.requiresGrad);
    let again: { readonly value: Tensor; readonly leaves: I } | undefined;
    const toInputs: GradientFunction = (_, gradients) => {
      if (again === undefined) throw new RangeError('expected a gradient of `use` before this one');
      const { value, leaves } = again;
      const outputs = [value, ...leaves.filter((leaf) => leaf.requiresGrad)];
      const roots = outputs.filter((_, i) => gradients[i] !== null);
      backward(roots, { gradient: gradients.filter((gradient) => gradient !== null) });
      const sums = leaves.map((leaf) => leaf.grad);
      for (const tensor of [value, ...leaves]) tensor.dispose();
      again = undefined;
      return sums;
    };
    const plain = [made, ...inputs.filter((input) => input.requiresGrad)];
    const [value = made, ...passed] = learns ? withGradient(plain, inputs, [], toInputs) : plain;
    const handed = inputs.map((input, i) => (needed[i] === true ? passed.shift() : input));
    const output = use(value, ...(handed as readonly unknown[] as I));
    if (!output.requiresGrad) return output;
    empty(value);
    const refilling: GradientFunction = ([hollow, ...saved], [gradient = null]) => {
      const leaves = asLeaves<I>(saved, needed);
      const value = enableGrad(() => body(...leaves));
      if (hollow !== undefined) refill(hollow, value);
      if (learns) again = keep({ value, leaves });
      return [gradient];
    };
    return withGradient([output], [output], [value, ...inputs], refilling)[0] ?? output;
  });
}

/** use(body(inputs)), by `usingRecomputed` or plainly: how a block is told its mode. */
export type Through = typeof usingRecomputed;

/** Keeps the value between `body` and `use`. */
export const keeping: Through = (inputs, body, use) => use(body(...inputs), ...inputs);

/**
 * One block in its mode.
 * @param inputs its input and everything else that may need a gradient
 * @param forward the block; sends norms and activations `through`
 */
export function runBlock<I extends readonly Tensor[]>(
  mode: Recompute,
  inputs: readonly [...I],
  forward: (inputs: readonly [...I], through: Through) => Tensor,
): Tensor {
  if (mode === 'full') return recomputed(inputs, (...again) => forward(again, keeping));
  return tidy(() => forward(inputs, mode === 'selective' ? usingRecomputed : keeping));
}

/** Aliases of saved tensors that collect gradients of their own. */
function asLeaves<I extends readonly Tensor[]>(
  saved: readonly Tensor[],
  needed: readonly boolean[],
): I {
  const leaves = saved.map((tensor, i) => {
    const leaf = ops.detach(tensor);
    leaf.requiresGrad = needed[i] ?? false;
    return leaf;
  });
  return leaves as readonly Tensor[] as I;
}
