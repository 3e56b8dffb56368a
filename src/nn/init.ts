// Fresh parameters. Each one has its own random stream, named by the seed and the parameter's
// name, so the same seed gives the same weights whatever else the model holds.

import { hashUint32 } from '../core/hash.ts';
import { createGenerator, type DType, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import type { Init, ParameterSource } from './module.ts';

export interface InitOptions {
  readonly seed: number;
  /** Standard deviation of 'normal' parameters. Qwen and RICE: 0.02. */
  readonly std?: number;
  readonly dtype?: DType;
  readonly device?: string;
}

/** A source of fresh parameters: N(0, std²) for matrices, zeros for biases, ones for norms. */
export function freshParameters(options: InitOptions): ParameterSource {
  const { seed, std = 0.02, dtype = 'float32', device = 'cpu' } = options;
  const normal = (name: string, shape: readonly number[]): Tensor => {
    const generator = createGenerator('cpu', hashUint32(seed, 'init', name));
    return tidy(() => {
      const value = ops.empty(shape, { dtype: 'float32', device: 'cpu' });
      ops.normal_(value, { mean: 0, std, generator });
      return dtype === 'float32' && device === 'cpu' ? value : ops.toCopy(value, { dtype, device });
    });
  };
  const makers: Readonly<Record<Init, ParameterSource>> = {
    normal,
    zeros: (_name, shape) => ops.zeros(shape, { dtype, device }),
    ones: (_name, shape) => ops.ones(shape, { dtype, device }),
  };
  return (name, shape, init) => makers[init](name, shape, init);
}
