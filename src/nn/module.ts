// Modules and where their parameters come from. A module never makes a tensor by itself: it asks
// its scope, so that fresh weights, a checkpoint or a shard fill the same tree. Not a layer.

import { OneVisionError } from '../core/errors.ts';
import { type DType, keep, setRequiresGrad, type Tensor } from '../tensor/index.ts';

/** How a parameter starts when nothing is loaded: N(0, std²), zeros or ones. */
export type Init = 'normal' | 'zeros' | 'ones';

/** Gives the tensor for a parameter by its full (Hugging Face) name. */
export type ParameterSource = (name: string, shape: readonly number[], init: Init) => Tensor;

/** Shared by all modules of a tree; changed by its owner around a forward. */
export interface Precision {
  /** What linear layers multiply in; null = the type of their input. Results return to it. */
  matmul: DType | null;
}

/** A low-rank change beside a weight: down [rank, in], up [out, rank]. See lora.ts. */
export interface Adapter {
  readonly down: Tensor;
  readonly up: Tensor;
  readonly scale: number;
}

/** A linear layer as adapters see it. */
export interface AdaptableLinear {
  readonly weight: Tensor;
  adapter: Adapter | null;
}

/** A place in the tree of parameters: a prefix, the source, and the register of all parameters. */
export class Scope {
  readonly prefix: string;
  readonly precision: Precision;
  /** Every linear layer of the tree by the full name of its weight. */
  readonly linears: Map<string, AdaptableLinear>;
  readonly #source: ParameterSource;
  readonly #register: Map<string, Tensor>;

  constructor(source: ParameterSource, parent?: Scope, name = '') {
    this.#source = source;
    this.prefix = (parent?.prefix ?? '') + name;
    this.precision = parent?.precision ?? { matmul: null };
    this.linears = parent?.linears ?? new Map();
    this.#register = parent === undefined ? new Map() : parent.#register;
  }

  /** The scope of a child: `child('layers.0')` below `model.` names `model.layers.0.…`. */
  child(name: string): Scope {
    return new Scope(this.#source, this, `${name}.`);
  }

  /** Make and register one parameter. @throws OneVisionError 'native' for a wrong shape or name. */
  parameter(name: string, shape: readonly number[], init: Init): Tensor {
    const fullName = this.prefix + name;
    if (this.#register.has(fullName)) {
      throw new OneVisionError('native', `expected a new parameter name, came ${fullName} again`);
    }
    const tensor = this.#source(fullName, shape, init);
    if (tensor.shape.join() !== shape.join()) {
      throw new OneVisionError(
        'native',
        `expected ${fullName} of shape [${shape}], its source gave [${tensor.shape}]`,
      );
    }
    this.#register.set(fullName, keep(tensor));
    return tensor;
  }

  /** All parameters registered below this prefix, full name → tensor, in order of creation. */
  registered(): Map<string, Tensor> {
    return new Map([...this.#register].filter(([name]) => name.startsWith(this.prefix)));
  }
}

/** A node of the tree. Owns the parameters below its prefix; `using` frees them. */
export class Module {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Parameters of this module and its children by their full names, in order of creation. */
  namedParameters(): Map<string, Tensor> {
    return this.#scope.registered();
  }

  /** All linear layers of the tree this module is in, by the full names of their weights. */
  linears(): ReadonlyMap<string, AdaptableLinear> {
    return this.#scope.linears;
  }

  /** How many numbers the parameters hold together. */
  get numParameters(): number {
    let total = 0;
    for (const tensor of this.namedParameters().values()) total += tensor.numel;
    return total;
  }

  /** Train (`true`) or freeze (`false`) every parameter below; a frozen part builds no graph. */
  setRequiresGrad(on: boolean): void {
    for (const tensor of this.namedParameters().values()) setRequiresGrad(tensor, on);
  }

  /** Free all parameters. The module cannot be used afterwards. */
  [Symbol.dispose](): void {
    for (const tensor of this.namedParameters().values()) tensor.dispose();
  }
}
