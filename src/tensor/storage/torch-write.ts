// Files that torch.load opens, also with weights_only=True. Tensors are read one by one while they
// are written; the bytes depend on the content only.
import { createFileAtomic } from '../../core/files.ts';
import { rawBytes } from '../safetensors.ts';
import { keep } from '../scope.ts';
import { itemBytes } from './safetensors-header.ts';
import type { LazyTensor } from './stored-tensor.ts';
import { STORAGES } from './torch-file.ts';
import { ZipWriter } from './zip-write.ts';

/** What can be saved: plain values, lists, dicts and tensors in any depth. */
export type TorchValue =
  | null
  | boolean
  | number
  | string
  | LazyTensor
  | readonly TorchValue[]
  | ReadonlyMap<string, TorchValue>;

/** @throws OneVisionError 'disk' where the file cannot be written */
export async function writeTorchFile(path: string, value: TorchValue): Promise<void> {
  const pickler = new Pickler();
  const pickle = pickler.pickle(value);
  const file = await createFileAtomic(path);
  try {
    const zip = new ZipWriter(file);
    const small = (name: string, bytes: Uint8Array): Promise<void> =>
      zip.add(`archive/${name}`, bytes.byteLength, [bytes]);
    await small('data.pkl', pickle);
    await small('byteorder', Buffer.from('little'));
    for (const [key, lazy] of pickler.tensors.entries()) {
      const size = lazy.shape.reduce((product, n) => product * n, itemBytes(lazy.dtype));
      const tensor = keep(lazy.read());
      try {
        await zip.add(`archive/data/${key}`, size, rawBytes(tensor));
      } finally {
        tensor.dispose();
      }
    }
    await small('version', Buffer.from('3\n'));
    await zip.finish();
    await file.commit();
  } finally {
    await file.abort();
  }
}

/** Protocol 2, as torch.save writes it, without the memo. */
class Pickler {
  /** Key of a storage → its tensor. */
  readonly tensors: LazyTensor[] = [];
  readonly #parts: Buffer[] = [];

  pickle(value: TorchValue): Buffer {
    this.#code('\x80\x02');
    this.#save(value);
    this.#code('.');
    return Buffer.concat(this.#parts);
  }

  #code(text: string): void {
    this.#parts.push(Buffer.from(text, 'latin1'));
  }

  #save(value: TorchValue): void {
    if (value === null) this.#code('N');
    else if (typeof value === 'boolean') this.#code(value ? '\x88' : '\x89');
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (isMap(value)) this.#dict(value);
    else if (isList(value)) this.#sequence(value, ']', 'e');
    else this.#tensor(value);
  }

  #number(value: number): void {
    const isInt = Number.isInteger(value) && Math.abs(value) < 2 ** 31;
    const bytes = Buffer.alloc(isInt ? 5 : 9);
    if (isInt) {
      bytes.write('J', 'latin1');
      bytes.writeInt32LE(value, 1);
    } else if (Number.isSafeInteger(value)) {
      this.#parts.push(Buffer.from([0x8a, 8]));
      const long = Buffer.alloc(8);
      long.writeBigInt64LE(BigInt(value));
      this.#parts.push(long);
      return;
    } else {
      bytes.write('G', 'latin1');
      bytes.writeDoubleBE(value, 1);
    }
    this.#parts.push(bytes);
  }

  #text(value: string): void {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5);
    head.write('X', 'latin1');
    head.writeUInt32LE(bytes.byteLength, 1);
    this.#parts.push(head, bytes);
  }

  #dict(map: ReadonlyMap<string, TorchValue>): void {
    this.#code('}(');
    for (const [key, value] of map) {
      this.#text(key);
      this.#save(value);
    }
    this.#code('u');
  }

  /** A list (`]` … `e`) or a tuple (nothing … `t`). */
  #sequence(items: readonly TorchValue[], open: string, close: string): void {
    this.#code(`${open}(`);
    for (const item of items) this.#save(item);
    this.#code(close);
  }

  /** _rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()). */
  #tensor(tensor: LazyTensor): void {
    const { dtype, shape } = tensor;
    const type = Object.entries(STORAGES).find(([, stored]) => stored === dtype)?.[0];
    if (type === undefined) throw new RangeError(`expected a type of torch.save, came ${dtype}`);
    const numel = shape.reduce((product, n) => product * n, 1);
    const stride = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1));
    this.#global('torch._utils', '_rebuild_tensor_v2');
    this.#code('((');
    this.#text('storage');
    this.#global('torch', type.slice('torch.'.length));
    for (const part of [String(this.tensors.length), 'cpu']) this.#text(part);
    this.#number(numel);
    this.#code('tQ');
    this.#number(0);
    this.#sequence(shape, '', 't');
    this.#sequence(stride, '', 't');
    this.#code('\x89');
    this.#global('collections', 'OrderedDict');
    this.#code(')RtR');
    this.tensors.push(tensor);
  }

  #global(module: string, name: string): void {
    this.#code(`c${module}\n${name}\n`);
  }
}

function isMap(value: object): value is ReadonlyMap<string, TorchValue> {
  return value instanceof Map;
}

function isList(value: object): value is readonly TorchValue[] {
  return Array.isArray(value);
}
