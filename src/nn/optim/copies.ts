// Between a model and its optimizer: the tensors that are updated, how gradients come to them, how
// updates go back. One implementation for each way to keep them: here the parameters themselves.

import type { Tensor } from '../../tensor/index.ts';
import { zeroGradients } from './optimizer.ts';

/** Runs a block of the decoder: does what is needed before and after. */
export type AroundBlock = (block: number, x: Tensor, run: (x: Tensor) => Tensor) => Tensor;

export interface Copies {
  /** What the optimizer changes, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** How the model runs its blocks in a pass. Default: plainly. */
  readonly around?: AroundBlock | undefined;
  /**
   * One forward and backward, after which the parameters' gradients are taken.
   * @param body none where this process has nothing to do in a pass that others make
   */
  pass(isLast: boolean, body: (() => void) | undefined): void;
  /** After the last pass: the gradients of `tensors` are complete from here on. */
  finish(): void;
  /** The norm over all processes, of the norm over `tensors`. */
  commonNorm(norm: number): number;
  /** Parameters ← what the optimizer has changed. */
  publish(): void;
  /** Forgets all gradients. */
  clear(): void;
  /** `tensors` ← parameters, after something else has changed these while they were `open`. */
  refresh(): void;
  /** Brings all parameters into memory, until it is disposed. */
  open(): Disposable;
  /** What a checkpoint needs to hold of them beside the model's weights. */
  state(): Map<string, Tensor>;
  loadState(saved: ReadonlyMap<string, Tensor>): void;
  [Symbol.dispose](): void;
}

/** For parameters that are always there. */
export const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

/** The parameters themselves. */
export class Originals implements Copies {
  readonly tensors: ReadonlyMap<string, Tensor>;

  constructor(parameters: ReadonlyMap<string, Tensor>) {
    this.tensors = parameters;
  }

  pass(_isLast: boolean, body: (() => void) | undefined): void {
    body?.();
  }

  finish(): void {}

  commonNorm(norm: number): number {
    return norm;
  }

  publish(): void {}

  clear(): void {
    zeroGradients(this.tensors.values());
  }

  refresh(): void {}

  open(): Disposable {
    return NOTHING;
  }

  state(): Map<string, Tensor> {
    return new Map();
  }

  loadState(): void {}

  [Symbol.dispose](): void {}
}
