// What every optimizer offers the trainer, several of them as one, and the clipping of gradients.
// Not the update rules: adamw.ts, muon.ts.

import { OneVisionError } from '../../core/errors.ts';
import type { Tensor } from '../../tensor/index.ts';
import { noGrad, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

/** Parameters that share their settings. */
export interface ParameterGroup {
  /** Full name → parameter. The names name the state in a checkpoint. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Multiplies the step's learning rate. Default 1. */
  readonly lrScale?: number;
  /** Decoupled weight decay, per unit of learning rate. Default 0. */
  readonly weightDecay?: number;
}

export interface Optimizer {
  /** Update every parameter that has a gradient, in place. Gradients stay; see `zeroGradients`. */
  step(lr: number): void;
  /** All state under stable names. The tensors are the live ones: read, do not keep or change. */
  state(): Map<string, Tensor>;
  /** Continue exactly from a saved state. @throws OneVisionError 'checkpoint' on any difference. */
  loadState(saved: ReadonlyMap<string, Tensor>): void;
  /** Free the state. */
  [Symbol.dispose](): void;
}

/** Several optimizers over disjoint parameters as one; their states must not share names. */
export function combineOptimizers(parts: readonly Optimizer[]): Optimizer {
  return {
    step: (lr) => {
      for (const part of parts) part.step(lr);
    },
    state: () => new Map(parts.flatMap((part) => [...part.state()])),
    loadState: (saved) => {
      const known = new Set(parts.flatMap((part) => [...part.state().keys()]));
      refuseUnknown(saved, known);
      for (const part of parts) {
        const names = part.state();
        part.loadState(new Map([...saved].filter(([name]) => names.has(name))));
      }
    },
    [Symbol.dispose]: () => {
      for (const part of parts) part[Symbol.dispose]();
    },
  };
}

/** Copy saved tensors into the live ones of the same names. */
export function copyState(
  live: ReadonlyMap<string, Tensor>,
  saved: ReadonlyMap<string, Tensor>,
): void {
  refuseUnknown(saved, new Set(live.keys()));
  noGrad(() => {
    for (const [name, target] of live) {
      const source = saved.get(name);
      if (source === undefined || source.shape.join() !== target.shape.join()) {
        const came = source === undefined ? 'nothing' : `[${source.shape}]`;
        throw new OneVisionError(
          'checkpoint',
          `expected optimizer state ${name} of shape [${target.shape}], came ${came}`,
          { hint: 'resume with the recipe the checkpoint was written with, or start anew' },
        );
      }
      tidy(() => void ops.copy_(target, source));
    }
  });
}

function refuseUnknown(saved: ReadonlyMap<string, Tensor>, known: ReadonlySet<string>): void {
  const extra = [...saved.keys()].filter((name) => !known.has(name));
  if (extra.length === 0) return;
  throw new OneVisionError(
    'checkpoint',
    `expected optimizer state for the parameters in training only, came ${extra.length} more: ` +
      extra.slice(0, 10).join(', '),
    { hint: 'resume with the recipe the checkpoint was written with, or start anew' },
  );
}

/** Forget all gradients. */
export function zeroGradients(parameters: Iterable<Tensor>): void {
  for (const parameter of parameters) parameter.grad = null;
}

/** Norms of gradients before they were clipped. */
export interface GradNorms {
  readonly all: number;
  /** Of each parameter that has a gradient, by name. */
  readonly each: ReadonlyMap<string, number>;
}

/**
 * Scale all gradients in place so that their common norm is at most `maxNorm`.
 * @param common the norm over all processes from that over the gradients here. Default: the same
 * @returns the norms before scaling; NaN or infinite if a gradient is (then nothing is scaled).
 */
export function clipGradNorm(
  parameters: ReadonlyMap<string, Tensor>,
  maxNorm: number,
  common: (norm: number) => number = (norm) => norm,
): GradNorms {
  return noGrad(() =>
    tidy(() => {
      const found = new Map<string, Tensor>();
      for (const [name, { grad }] of parameters) if (grad !== null) found.set(name, grad);
      const gradients = [...found.values()];
      if (gradients.length === 0) return { all: common(0), each: new Map<string, number>() };
      const norms = ops.stack(ops.foreachNorm(gradients));
      const all = common(ops.linalgVectorNorm(norms).item());
      const scale = maxNorm / (all + 1e-6);
      if (scale < 1) ops.foreachMulScalar_(gradients, scale);
      const values = norms.toNumbers();
      return { all, each: new Map([...found.keys()].map((name, i) => [name, values[i] ?? 0])) };
    }),
  );
}
