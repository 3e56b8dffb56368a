// Tensors in and out of typed arrays, seeds, generators, threads, and agreement with PyTorch.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  backward,
  createGenerator,
  type DType,
  fromArray,
  getRandomState,
  manualSeed,
  numThreads,
  runtimeInfo,
  setNumThreads,
  setRandomState,
} from './index.ts';
import * as ops from './ops.ts';

interface Golden {
  readonly x: number[];
  readonly weight: number[];
  readonly loss: number;
  readonly grad: number[];
}

const golden = JSON.parse(
  readFileSync(new URL('fixtures/golden.json', import.meta.url), 'utf8'),
) as Golden;

test('every typed array goes in and comes out', () => {
  for (const data of [
    Float32Array.of(1.5, -2),
    Float64Array.of(1.5, -2),
    Int32Array.of(1, -2),
    Int16Array.of(1, -2),
    Int8Array.of(1, -2),
    Uint8Array.of(1, 200),
    Uint16Array.of(1, 65535),
    Uint32Array.of(1, 2 ** 31),
    BigInt64Array.of(1n, -(2n ** 60n)),
    BigUint64Array.of(1n, 2n ** 60n),
  ]) {
    assert.deepEqual(fromArray(data, [2]).toArray(), data);
    assert.deepEqual(fromArray(data.subarray(1), [1]).toArray(), data.slice(1));
  }
});

test('every dtype is made from plain numbers', () => {
  const dtypes: DType[] = [
    'float32',
    'float64',
    'float16',
    'bfloat16',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
    'uint16',
    'uint32',
    'uint64',
    'float8_e4m3fn',
    'float8_e5m2',
  ];
  for (const dtype of dtypes) {
    const tensor = fromArray([1, 0, 1], [3], { dtype });
    assert.equal(tensor.dtype, dtype);
    assert.deepEqual(tensor.toNumbers(), [1, 0, 1]);
  }
});

test('bfloat16 rounds to 8 bits of mantissa and reads back as float32', () => {
  const tensor = fromArray([1.00390625, Math.PI], [2], { dtype: 'bfloat16' });
  assert.deepEqual(tensor.toArray(), Float32Array.of(1, 3.140625));
  assert.deepEqual(ops.matmul(tensor, tensor).toArray(), Float32Array.of(10.875));
});

test('shapes: scalar, empty, non-contiguous', () => {
  assert.deepEqual(fromArray([7], []).shape, []);
  assert.equal(fromArray([7], []).item(), 7);
  assert.deepEqual(ops.zeros([0, 3]).toArray(), new Float32Array(0));
  const matrix = fromArray([1, 2, 3, 4, 5, 6], [2, 3]);
  assert.deepEqual(ops.t(matrix).toNumbers(), [1, 4, 2, 5, 3, 6]);
  assert.equal(inspect(matrix), 'Tensor float32[2, 3] cpu');
  assert.throws(() => fromArray([1, 2], [3]), /float32\[3\] needs 12 bytes; the data has 8/);
  assert.throws(() => matrix.item(), /one element; got float32\[2, 3\]/);
});

test('a seed fixes every draw, and a state continues it', () => {
  const draw = (): number[] => ops.randn([3]).toNumbers();
  manualSeed(3);
  const first = draw();
  const state = getRandomState();
  const second = draw();
  manualSeed(3);
  assert.deepEqual(draw(), first);
  setRandomState(state);
  assert.deepEqual(draw(), second);
  const generator = createGenerator('cpu', 9);
  const own = ops.randGenerator([2], { generator }).toNumbers();
  const middle = generator.getState();
  const next = ops.randGenerator([2], { generator }).toNumbers();
  generator.setState(middle);
  assert.deepEqual(ops.randGenerator([2], { generator }).toNumbers(), next);
  generator.manualSeed(9);
  assert.deepEqual(ops.randGenerator([2], { generator }).toNumbers(), own);
});

test('the seed gives the numbers that PyTorch gives', () => {
  manualSeed(7);
  assert.deepEqual(ops.randn([2, 3]).toArray(), Float32Array.from(golden.x));
  assert.deepEqual(ops.randn([4, 3]).toArray(), Float32Array.from(golden.weight));
});

test('loss and gradient agree with PyTorch', () => {
  const weight = fromArray(golden.weight, [4, 3], { requiresGrad: true });
  const hidden = ops.gelu(ops.linear(fromArray(golden.x, [2, 3]), weight));
  const loss = ops.mean(ops.log(ops.softmax(hidden, -1)));
  backward(loss);
  assert.ok(Math.abs(loss.item() - golden.loss) < 1e-6);
  weight.grad?.toNumbers().forEach((value, i) => {
    assert.ok(Math.abs(value - (golden.grad[i] ?? Number.NaN)) < 1e-6);
  });
});

test('threads can be read and set', () => {
  const before = numThreads();
  setNumThreads(1);
  assert.equal(numThreads(), 1);
  setNumThreads(before);
  assert.throws(() => setNumThreads(0), /1 to 4096; got 0/);
  assert.match(runtimeInfo().version, /^2\.\d+/);
});
