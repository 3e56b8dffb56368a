// Element types: their names, and the typed arrays that carry them in and out.
import { OneVisionError } from '../core/errors.ts';

/** Number arrays the addon reads and writes. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Element types by PyTorch's names. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float8_e4m3fn'
  | 'float8_e5m2';

interface Carrier {
  /** The dtype that the array's own elements have. */
  readonly dtype: DType;
  readonly create: (length: number) => TypedArray;
}

const float32: Carrier = { dtype: 'float32', create: (n) => new Float32Array(n) };
const uint8: Carrier = { dtype: 'uint8', create: (n) => new Uint8Array(n) };

/** How each dtype leaves the addon: small floats widen to float32, booleans become 0 and 1. */
const CARRIERS: Readonly<Record<DType, Carrier>> = {
  float32,
  float64: { dtype: 'float64', create: (n) => new Float64Array(n) },
  float16: float32,
  bfloat16: float32,
  float8_e4m3fn: float32,
  float8_e5m2: float32,
  int64: { dtype: 'int64', create: (n) => new BigInt64Array(n) },
  int32: { dtype: 'int32', create: (n) => new Int32Array(n) },
  int16: { dtype: 'int16', create: (n) => new Int16Array(n) },
  int8: { dtype: 'int8', create: (n) => new Int8Array(n) },
  uint8,
  bool: uint8,
  uint16: { dtype: 'uint16', create: (n) => new Uint16Array(n) },
  uint32: { dtype: 'uint32', create: (n) => new Uint32Array(n) },
  uint64: { dtype: 'uint64', create: (n) => new BigUint64Array(n) },
};

/** The typed array that carries `dtype` to JavaScript. */
export function carrierOf(dtype: DType): Carrier {
  const carrier = CARRIERS[dtype];
  if (carrier !== undefined) return carrier;
  throw new OneVisionError('native', `Expected a dtype with a typed array; got ${dtype}.`);
}

/** The dtype of a typed array's own elements. */
export function dtypeOfArray(data: TypedArray): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint16Array) return 'uint16';
  if (data instanceof Uint32Array) return 'uint32';
  return 'uint64';
}
