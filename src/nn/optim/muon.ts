// Muon: momentum whose matrix is replaced by the nearest half-orthogonal one (Jordan et al. 2024),
// scaled to AdamW's typical update (Liu et al. 2025, "Muon is scalable"). For matrices only.

import { keep, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { copyState, type Optimizer, type ParameterGroup } from './optimizer.ts';

export interface MuonOptions {
  /** Default 0.95. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/**
 * a, b, c of the iterations X ← aX + (bR + cR²)X, R = XXᵀ. Each is the quintic nearest to 1 on the interval
 * that the ones before leave of singular values in [0.0025, 1] (Amsel et al. 2025, "The Polar Express"): four
 * take these into [0.74, 1.27], where five with Jordan's one set of coefficients take them into [0.68, 1.2].
 */
export const QUINTICS: readonly (readonly [a: number, b: number, c: number])[] = [
  [8.4052, -24.8508, 18.4246],
  [4.0772, -3.035, 0.5722],
  [3.6058, -2.6996, 0.534],
  [2.6177, -1.9413, 0.4486],
];
/** Root mean square of an AdamW update, which Muon's is scaled to. */
const ADAM_RMS = 0.2;

/** Matrices of one shape and one setting, updated together. */
interface Stack {
  readonly names: readonly string[];
  readonly parameters: readonly Tensor[];
  /** Momentum [matrices, rows, columns] and its rows as views. */
  readonly momentum: Tensor;
  readonly views: readonly Tensor[];
  readonly rows: number;
  readonly columns: number;
  readonly lrScale: number;
  readonly weightDecay: number;
}

/**
 * Which parameters Muon is for: hidden matrices (a convolution counts as [out, rest]), not
 * embeddings, not the output head, not vectors. The merger needs it: with AdamW there the demo's
 * model does not learn to read numbers (docs/demo.md).
 */
export function isMuonMatrix(name: string, parameter: Tensor): boolean {
  const [rows = 0, ...rest] = parameter.shape;
  const columns = rest.reduce((product, size) => product * size, 1);
  if (rest.length === 0 || rows === 1 || columns === 1) return false;
  return !/(^|\.)(embed_tokens|lm_head)\./.test(name);
}

/**
 * m ← μm + (1−μ)g; u = Nesterov look-ahead; O = Newton–Schulz(u);
 * p ← p − lr·λ·p − lr · 0.2 · √max(rows, columns) · O. State per parameter: `<name>.momentum`.
 * Every parameter needs a gradient at every step, or its whole stack waits.
 */
export class Muon implements Optimizer {
  readonly #stacks: readonly Stack[];
  readonly #options: Required<MuonOptions>;

  constructor(groups: readonly ParameterGroup[], options: MuonOptions = {}) {
    this.#options = {
      momentum: options.momentum ?? 0.95,
      nesterov: options.nesterov ?? true,
    };
    this.#stacks = groups.flatMap(makeStacks);
  }

  step(lr: number): void {
    noGrad(() => {
      for (const stack of this.#stacks) tidy(() => this.#update(stack, lr));
    });
  }

  #update(stack: Stack, lr: number): void {
    const { parameters, momentum, rows, columns, weightDecay } = stack;
    const gradients: Tensor[] = [];
    for (const { grad } of parameters) {
      if (grad !== null) gradients.push(ops.view(grad, [rows, columns]));
    }
    if (gradients.length < parameters.length) return;
    const { momentum: mu, nesterov } = this.#options;
    const gradient = ops.stack(gradients);
    ops.lerp_(momentum, gradient, 1 - mu);
    const update = nesterov ? ops.lerp(gradient, momentum, mu) : momentum;
    const direction = orthogonalise(update);
    const stepSize = lr * stack.lrScale;
    const matrices = parameters.map((parameter) => ops.view(parameter, [rows, columns]));
    if (weightDecay > 0) ops.foreachMulScalar_(matrices, 1 - stepSize * weightDecay);
    const scale = -stepSize * ADAM_RMS * Math.sqrt(Math.max(rows, columns));
    ops.foreachAdd_(matrices, ops.unbind(direction), { alpha: scale });
  }

  state(): Map<string, Tensor> {
    const out = new Map<string, Tensor>();
    for (const { names, views } of this.#stacks) {
      for (const [i, name] of names.entries()) {
        const view = views[i];
        if (view !== undefined) out.set(`${name}.momentum`, view);
      }
    }
    return out;
  }

  loadState(saved: ReadonlyMap<string, Tensor>): void {
    copyState(this.state(), saved);
  }

  [Symbol.dispose](): void {
    for (const { momentum, views } of this.#stacks) {
      for (const view of views) view.dispose();
      momentum.dispose();
    }
  }
}

function makeStacks(group: ParameterGroup): Stack[] {
  const { parameters, lrScale = 1, weightDecay = 0 } = group;
  const byShape = Map.groupBy(parameters, ([, { shape, device }]) => {
    const rows = shape[0] ?? 1;
    return `${rows}x${shape.slice(1).reduce((product, size) => product * size, 1)}@${device}`;
  });
  return [...byShape.values()].map((members) => {
    const first = members[0]?.[1];
    const rows = first?.shape[0] ?? 1;
    const columns = (first?.numel ?? 1) / rows;
    const momentum = keep(
      ops.zeros([members.length, rows, columns], {
        dtype: first?.dtype ?? 'float32',
        device: first?.device ?? 'cpu',
      }),
    );
    const names = members.map(([name]) => name);
    const list = members.map(([, parameter]) => parameter);
    const views = ops.unbind(momentum).map(keep);
    return { names, parameters: list, momentum, views, rows, columns, lrScale, weightDecay };
  });
}

/**
 * Newton–Schulz: the singular values of each matrix of the stack go towards 1. Between R = XXᵀ and
 * the last QX all products are of the shorter side: with Z = aI + bR + cR², an iteration is Q ← QZ
 * and R ← ZRZ. Every factor is a polynomial of one symmetric matrix, so the products are symmetric.
 * @param stack [matrices, rows, columns]; any scale.
 */
export function orthogonalise(stack: Tensor): Tensor {
  const [, rows = 1, columns = 1] = stack.shape;
  const tall = rows > columns;
  const norm = ops.linalgVectorNorm(stack, { dim: [1, 2], keepdim: true });
  const scaled = ops.div(stack, ops.addScalar(norm, 1e-7));
  const turned = ops.contiguous(ops.transpose(scaled, 1, 2));
  const [x, across] = tall ? [turned, scaled] : [scaled, turned];
  const { dtype, device } = x;
  const identity = ops.eye(Math.min(rows, columns), { dtype, device });
  let q: Tensor | undefined;
  let r = ops.symmetricBmm(x, across);
  for (const [i, [a, b, c]] of QUINTICS.entries()) {
    const z = ops.symmetricBmm(r, r, { added: r, alpha: c, beta: b });
    ops.add_(z, identity, { alpha: a });
    q = q === undefined ? z : ops.symmetricBmm(q, z);
    if (i + 1 < QUINTICS.length) r = ops.symmetricBmm(ops.symmetricBmm(r, z), z);
  }
  const direction = q === undefined ? x : ops.bmm(q, x);
  return tall ? ops.transpose(direction, 1, 2) : direction;
}
