// The exponential moving average of parameters: e ← d·e + (1 − d)·p after every step. Averages are
// float32 and lie beside the model; nothing reads them in training.

import { keep, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { copyState } from './optimizer.ts';

export class Ema {
  readonly #averages: ReadonlyMap<string, Tensor>;
  readonly #sources: ReadonlyMap<string, Tensor>;
  readonly #decay: number;

  /** @param sources what is averaged: float32 parameters, or the masters of half ones */
  constructor(sources: ReadonlyMap<string, Tensor>, decay: number) {
    this.#sources = sources;
    this.#decay = decay;
    this.#averages = new Map(
      [...sources].map(([name, source]) => [
        name,
        keep(noGrad(() => ops.toCopy(source, { dtype: 'float32' }))),
      ]),
    );
  }

  update(): void {
    noGrad(() => {
      for (const [name, average] of this.#averages) {
        const source = this.#sources.get(name) as Tensor;
        tidy(() => void ops.lerp_(average, ops.toDtype(source, 'float32'), 1 - this.#decay));
      }
    });
  }

  /** The averages by the names of their parameters. */
  state(): ReadonlyMap<string, Tensor> {
    return this.#averages;
  }

  loadState(saved: ReadonlyMap<string, Tensor>): void {
    copyState(this.#averages, saved);
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#averages.values()) tensor.dispose();
  }
}
