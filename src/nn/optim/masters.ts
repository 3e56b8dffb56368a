// float32 copies of parameters in half precision: the optimizer works on them, the model computes
// with their roundings (Micikevicius et al. 2018). On the CPU they, the gradients' sums and the
// optimizer's state leave the device to the model.

import { keep, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { type Copies, NOTHING } from './copies.ts';
import { copyState, zeroGradients } from './optimizer.ts';

export class Masters implements Copies {
  /** The copies by the names of their parameters; an optimizer is made over these. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #parameters: ReadonlyMap<string, Tensor>;

  /**
   * @param initial more exact values to start from than the parameters themselves
   * @param device where the copies lie. Default: with the parameters
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    initial: ReadonlyMap<string, Tensor> = parameters,
    device?: string,
  ) {
    this.#parameters = parameters;
    this.tensors = new Map(
      [...parameters].map(([name, parameter]) => {
        const options = { dtype: 'float32', device: device ?? parameter.device } as const;
        const start = initial.get(name) ?? parameter;
        return [name, keep(noGrad(() => ops.toCopy(start, options)))];
      }),
    );
  }

  pass(_isLast: boolean, body: (() => void) | undefined): void {
    body?.();
    this.collect();
  }

  finish(): void {}

  commonNorm(norm: number): number {
    return norm;
  }

  clear(): void {
    zeroGradients(this.#parameters.values());
    zeroGradients(this.tensors.values());
  }

  open(): Disposable {
    return NOTHING;
  }

  /** Adds the parameters' gradients to those of the copies, in float32, and forgets them. */
  collect(): void {
    noGrad(() => {
      for (const [name, parameter] of this.#parameters) {
        tidy(() => {
          const master = this.tensors.get(name);
          const { grad } = parameter;
          if (grad === null || master === undefined) return;
          const wide = ops.toCopy(grad, { dtype: 'float32', device: master.device });
          const sum = master.grad;
          if (sum === null) master.grad = wide;
          else ops.add_(sum, wide);
          parameter.grad = null;
        });
      }
    });
  }

  /** Rounds the copies into the parameters. */
  publish(): void {
    noGrad(() => {
      for (const [name, parameter] of this.#parameters) {
        const master = this.tensors.get(name);
        if (master !== undefined) ops.copy_(parameter, master);
      }
    });
  }

  refresh(): void {
    noGrad(() => {
      for (const [name, master] of this.tensors) {
        ops.copy_(master, this.#parameters.get(name) as Tensor);
      }
    });
  }

  /** `<name>.master` → the copy. */
  state(): Map<string, Tensor> {
    return new Map([...this.tensors].map(([name, tensor]) => [`${name}.master`, tensor]));
  }

  loadState(saved: ReadonlyMap<string, Tensor>): void {
    copyState(this.state(), saved);
    this.publish();
  }

  [Symbol.dispose](): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
  }
}
