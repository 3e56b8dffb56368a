// Tensor: a handle of the addon with a shape, a dtype and a lifetime. Operators are in ops.ts.
import { inspect } from 'node:util';
import { carrierOf, type DType, dtypeOfArray, type TypedArray } from './dtype.ts';
import { type Handle, native } from './native.ts';
import { enter } from './scope.ts';

/**
 * A multi-dimensional array that lives in libtorch. Freed by `dispose()`, by the end of the `tidy()`
 * it was made in, or, if nobody does, some time after it became unreachable.
 */
export class Tensor {
  readonly handle: Handle;
  #info: { shape: readonly number[]; dtype: DType; device: string } | undefined;
  #disposed = false;

  /** Not for users: operators, `fromArray` and autograd make tensors. */
  constructor(handle: Handle) {
    this.handle = handle;
    enter(this);
  }

  get shape(): readonly number[] {
    return this.#describe().shape;
  }

  get dtype(): DType {
    return this.#describe().dtype;
  }

  /** `cpu`, `cuda:0`, … */
  get device(): string {
    return this.#describe().device;
  }

  get numel(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Whether gradients reach this tensor. Assign to a leaf to start or stop collecting them. */
  get requiresGrad(): boolean {
    return native().requiresGrad(this.handle);
  }

  set requiresGrad(value: boolean) {
    native().setRequiresGrad(this.handle, value);
  }

  /** The gradient that `backward` accumulated, as a new Tensor over the same memory, or null. */
  get grad(): Tensor | null {
    const handle = native().grad(this.handle);
    return handle === null ? null : new Tensor(handle);
  }

  set grad(value: Tensor | null) {
    native().setGrad(this.handle, value === null ? null : value.handle);
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** The elements in row-major order, copied. Half floats become float32, booleans 0 and 1. */
  toArray(): TypedArray {
    const carrier = carrierOf(this.dtype);
    const target = carrier.create(this.numel);
    native().toData(this.handle, target, carrier.dtype);
    return target;
  }

  /** The same into an array that is there already, of the type that `toArray` gives. */
  copyTo(target: TypedArray): void {
    native().toData(this.handle, target, carrierOf(this.dtype).dtype);
  }

  /** The elements as plain numbers, row-major. For small tensors: logging, tests, sampling. */
  toNumbers(): number[] {
    return Array.from(this.toArray(), Number);
  }

  /** The one element. @throws OneVisionError 'native' where there is not exactly one */
  item(): number {
    return Number(native().item(this.handle));
  }

  /** Frees the memory now. Calling it twice does nothing; using the tensor afterwards throws. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    native().release(this.handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Forgets the cached shape. For operators that change a tensor in place. */
  changed(): this {
    this.#info = undefined;
    return this;
  }

  toString(): string {
    if (this.#disposed) return 'Tensor (freed)';
    return `Tensor ${this.dtype}[${this.shape.join(', ')}] ${this.device}`;
  }

  #describe(): { shape: readonly number[]; dtype: DType; device: string } {
    if (this.#info === undefined) {
      const [dtype, device, ...shape] = native().tensorInfo(this.handle);
      this.#info = { shape, dtype, device };
    }
    return this.#info;
  }
}

/** console.log shows "Tensor float32[2, 3] cpu". */
Object.defineProperty(Tensor.prototype, inspect.custom, { value: Tensor.prototype.toString });

export interface FromArrayOptions {
  /** Default: the array's own type; float32 for plain numbers. */
  readonly dtype?: DType;
  /** Default: cpu. */
  readonly device?: string;
  readonly requiresGrad?: boolean;
}

/**
 * Copies numbers into a new tensor.
 * @param shape row-major; its product is the number of elements
 * @throws OneVisionError 'native' where shape and length disagree
 */
export function fromArray(
  data: TypedArray | readonly number[],
  shape: readonly number[],
  options: FromArrayOptions = {},
): Tensor {
  const source = Array.isArray(data) ? plainNumbers(data, options.dtype) : (data as TypedArray);
  const own = dtypeOfArray(source);
  let handle = native().fromData(source, own, shape, options.device ?? 'cpu');
  const dtype = options.dtype ?? (Array.isArray(data) ? 'float32' : own);
  if (dtype !== own) {
    const copied = convert(handle, dtype);
    native().release(handle);
    handle = copied;
  }
  const tensor = new Tensor(handle);
  if (options.requiresGrad === true) tensor.requiresGrad = true;
  return tensor;
}

/** float32 directly; every other type through float64, exact for integers up to 2^53. */
function plainNumbers(data: readonly number[], dtype: DType | undefined): TypedArray {
  return dtype === undefined || dtype === 'float32'
    ? Float32Array.from(data)
    : Float64Array.from(data);
}

function convert(handle: Handle, dtype: DType): Handle {
  const addon = native();
  return addon.call(addon.operatorId('aten::_to_copy'), handle, dtype) as Handle;
}
