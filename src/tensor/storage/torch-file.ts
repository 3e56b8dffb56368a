// Files of torch.save: opened without running anything that is in them. Tensors stay in the file
// until they are read. Not the writer (torch-write.ts).
import { closeSync, openSync } from 'node:fs';
import { OneVisionError } from '../../core/errors.ts';
import type { DType } from '../dtype.ts';
import * as ops from '../ops.ts';
import { tidy } from '../scope.ts';
import type { Tensor } from '../tensor.ts';
import { readPickle } from './pickle-read.ts';
import { Foreign, PickleGlobal, type PickleValue } from './pickle-values.ts';
import { itemBytes } from './safetensors-header.ts';
import { type LazyTensor, type Placement, readFully, TensorFile } from './stored-tensor.ts';
import { readZipDirectory, type ZipEntry } from './zip-read.ts';

/** Storage classes of torch.save and what they hold. */
export const STORAGES: Readonly<Record<string, DType>> = {
  'torch.DoubleStorage': 'float64',
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};

/** An open file of torch.save. */
export interface TorchFile {
  readonly path: string;
  /** What was saved; tensors are `Foreign` around a `LazyTensor` (see `tensorOf`). */
  readonly value: PickleValue;
  close(): void;
  [Symbol.dispose](): void;
}

/** The tensor in a value of a TorchFile, or undefined. */
export function tensorOf(value: PickleValue | undefined): LazyTensor | undefined {
  return value instanceof Foreign && value.value instanceof StoredView ? value.value : undefined;
}

/**
 * Open a file of torch.save (zip form, PyTorch 1.6 or newer).
 * @throws OneVisionError 'checkpoint' for another kind of file, a damaged one, or a tensor that
 * reaches beyond its storage.
 */
export function openTorchFile(path: string): TorchFile {
  const { entries, fileBytes } = readZipDirectory(path);
  const main = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (main === undefined) throw refuse(path, 'an entry data.pkl', 'none');
  const prefix = main.slice(0, -'data.pkl'.length);
  const order = entries.get(`${prefix}byteorder`);
  if (order !== undefined && readEntry(path, order).toString() !== 'little') {
    throw refuse(path, 'little-endian data', 'another order of bytes');
  }
  const file = new TensorFile(path, fileBytes);
  const value = readPickle(
    readEntry(path, entries.get(main) as ZipEntry),
    {
      persistent: (id) => new Foreign(openStorage(id, entries, prefix, path)),
      call: (name, args) => rebuild(name, args, file),
    },
    path,
  );
  const close = (): void => file.close();
  return { path, value, close, [Symbol.dispose]: close };
}

function readEntry(path: string, { begin, end }: ZipEntry): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(end - begin);
    readFully(file, buffer, begin, path);
    return buffer;
  } finally {
    closeSync(file);
  }
}

/** Elements of one type in an entry; `dtype` is undefined where the tensor says it. */
class Storage {
  readonly entry: ZipEntry;
  readonly dtype: DType | undefined;

  constructor(entry: ZipEntry, dtype: DType | undefined) {
    this.entry = entry;
    this.dtype = dtype;
  }
}

/** ('storage', class, key, device, number of elements). */
function openStorage(
  id: PickleValue,
  entries: ReadonlyMap<string, ZipEntry>,
  prefix: string,
  path: string,
): Storage {
  const [kind, type, key] = Array.isArray(id) ? id : [];
  if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string') {
    throw refuse(path, 'a storage behind a persistent id', 'something else');
  }
  const entry = entries.get(`${prefix}data/${key}`);
  if (entry === undefined) throw refuse(path, `the data of storage ${key}`, 'none');
  const dtype = STORAGES[type.name];
  if (dtype === undefined && type.name !== 'torch.storage.UntypedStorage') {
    throw refuse(path, `a known type of storage`, type.name);
  }
  return new Storage(entry, dtype);
}

/** The calls of torch.save that make tensors. */
function rebuild(
  name: string,
  args: readonly PickleValue[],
  file: TensorFile,
): PickleValue | undefined {
  if (name === 'torch._utils._rebuild_parameter') return args[0];
  if (name !== 'torch._utils._rebuild_tensor_v2' && name !== 'torch._utils._rebuild_tensor_v3') {
    return undefined;
  }
  const [holder, offset, shape, stride, , , type] = args;
  const storage = holder instanceof Foreign ? holder.value : undefined;
  const stated =
    type instanceof PickleGlobal ? (type.name.replace('torch.', '') as DType) : undefined;
  const dtype = storage instanceof Storage ? (storage.dtype ?? stated) : undefined;
  if (!(storage instanceof Storage) || dtype === undefined || typeof offset !== 'number') {
    throw refuse(file.path, 'a tensor of a storage', 'something else');
  }
  return new Foreign(
    new StoredView(file, storage.entry, {
      dtype,
      offset,
      shape: sizes(shape),
      stride: sizes(stride),
    }),
  );
}

function sizes(value: PickleValue | undefined): number[] {
  const isSize = (item: PickleValue): item is number =>
    typeof item === 'number' && Number.isSafeInteger(item) && item >= 0;
  return Array.isArray(value) && value.every(isSize) ? value : [Number.NaN];
}

interface ViewOf {
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A tensor over a storage in the file, in any order of elements. */
class StoredView implements LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #view: ViewOf;
  readonly #file: TensorFile;
  readonly #entry: ZipEntry;

  constructor(file: TensorFile, entry: ZipEntry, view: ViewOf) {
    this.dtype = view.dtype;
    this.shape = view.shape;
    this.#view = view;
    this.#file = file;
    this.#entry = entry;
    const last = view.shape.reduce(
      (sum, n, i) => sum + (n - 1) * (view.stride[i] ?? Number.NaN),
      0,
    );
    const isEmpty = view.shape.includes(0);
    const needed = isEmpty ? 0 : (view.offset + last + 1) * itemBytes(view.dtype);
    if (!(needed <= entry.end - entry.begin)) {
      const came = `[${view.shape}] by [${view.stride}] from ${view.offset}`;
      throw refuse(file.path, `a tensor within its ${entry.end - entry.begin} bytes`, came);
    }
  }

  read(placement: Placement = {}): Tensor {
    const { dtype, offset, shape, stride } = this.#view;
    const size = itemBytes(dtype);
    const begin = this.#entry.begin + offset * size;
    const numel = shape.reduce((product, n) => product * n, 1);
    const region = { dtype, itemBytes: size, begin, end: begin + numel * size, shape };
    if (isContiguous(shape, stride)) return this.#file.read(region, placement);
    return tidy(() => {
      // Everything from the first element on; the strides say the rest.
      const length = Math.floor((this.#entry.end - begin) / size);
      const rest = { ...region, end: begin + length * size, shape: [length] };
      const whole = ops.contiguous(ops.asStrided(this.#file.read(rest), shape, stride));
      const { dtype: as = dtype, device = 'cpu' } = placement;
      return as === dtype && device === 'cpu' ? whole : ops.toCopy(whole, { dtype: as, device });
    });
  }
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false;
    expected *= shape[i] ?? 1;
  }
  return true;
}

function refuse(path: string, expected: string, came: string): OneVisionError {
  return new OneVisionError('checkpoint', `${path}: expected ${expected}; came ${came}.`, {
    hint: 'Save the tensors again with torch.save, or as safetensors.',
  });
}
