// Calling operators: numbers for names, handles for tensors, tensors for results. The generated
// functions of ops.ts stand on this file; callOperator reaches what has no generated function.
import { type Handle, native } from './native.ts';
import { Generator } from './runtime.ts';
import { Tensor } from './tensor.ts';

/** A number, integer or boolean: what schemas call Scalar. Integral numbers count as integers. */
export type Scalar = number | bigint | boolean;
export type Layout = 'strided';
export type MemoryFormat = 'contiguous' | 'preserve' | 'channelsLast' | 'channelsLast3d';

/** An operator by name; its number is asked from the addon at the first call. */
export class Operator {
  readonly name: string;
  #id = -1;

  constructor(name: string) {
    this.name = name;
  }

  get id(): number {
    if (this.#id < 0) this.#id = native().operatorId(this.name);
    return this.#id;
  }
}

export function wrap(result: unknown): Tensor {
  return new Tensor(result as Handle);
}

export function wrapList(result: unknown): Tensor[] {
  return (result as Handle[]).map((handle) => new Tensor(handle));
}

export function handlesOf(tensors: readonly Tensor[]): Handle[] {
  return tensors.map((tensor) => tensor.handle);
}

export function optionalHandlesOf(tensors: readonly (Tensor | null)[]): (Handle | null)[] {
  return tensors.map((tensor) => tensor?.handle ?? null);
}

/**
 * Runs any operator of libtorch by its schema name, for example
 * `callOperator('aten::add.Tensor', a, b)`. Arguments are in schema order; `undefined` takes the
 * default. Every tensor of the result comes back as a Tensor.
 * @throws OneVisionError 'native' where the name, an argument or the computation is wrong
 */
export function callOperator(name: string, ...values: readonly unknown[]): unknown {
  const addon = native();
  const description = addon.describeOperator(name);
  const result = addon.call(addon.operatorId(name), ...values.map(unwrapAny));
  if (description.returnedArgument >= 0) {
    const target = values[description.returnedArgument];
    return target instanceof Tensor ? target.changed() : target;
  }
  return wrapAny(result);
}

/** Results of an operator that returns several: handles become tensors, null and numbers stay. */
export function wrapAny(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wrapAny);
  return typeof value === 'object' && value !== null ? new Tensor(value as Handle) : value;
}

function unwrapAny(value: unknown): unknown {
  if (value instanceof Tensor || value instanceof Generator) return value.handle;
  return Array.isArray(value) ? value.map(unwrapAny) : value;
}
