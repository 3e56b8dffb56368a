// The content that make-torch-files.py checks with torch.load. Run: node …/write-torch-file.ts FILE
import { fromArray } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import { lazyOf } from '../../src/tensor/storage/stored-tensor.ts';
import { type TorchValue, writeTorchFile } from '../../src/tensor/storage/torch-write.ts';

export const DTYPES = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
] as const;

export function torchContent(): TorchValue {
  const six = [0, 1, 2, 3, 4, 5];
  const types = DTYPES.map((dtype): [string, TorchValue] => {
    const values = dtype === 'bool' ? six.map((value) => Math.min(value, 1)) : six;
    return [dtype, lazyOf(fromArray(values, [2, 3], { dtype }))];
  });
  return new Map<string, TorchValue>([
    ['types', new Map(types)],
    ['plain', [null, true, false, 7, -300, 2 ** 40, 0.5, 'é', new Map([['a', []]])]],
    ['empty', lazyOf(ops.zeros([0, 4]))],
    ['scalar', lazyOf(fromArray([5], []))],
    ['large', lazyOf(ops.ones([1000, 33]))],
  ]);
}

if (process.argv[1] === import.meta.filename) {
  await writeTorchFile(process.argv[2] ?? 'written.pt', torchContent());
}
