// Every argument and result type of the schemas crosses the border, and every misuse has its message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from '../core/errors.ts';
import { callOperator, createGenerator, fromArray, noGrad, Tensor, tidy } from './index.ts';
import { native } from './native.ts';
import * as ops from './ops.ts';

function numbers(value: unknown): number[] {
  assert.ok(value instanceof Tensor);
  return value.toNumbers();
}

function fails(body: () => unknown, pattern: RegExp): OneVisionError {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof OneVisionError, String(error));
    assert.match(error.message, pattern);
    return error;
  }
  assert.fail('expected an error');
}

const vector = fromArray([1, 2, 3], [3]);
const matrix = fromArray([1, 2, 3, 4], [2, 2]);

test('Tensor, Tensor[] and tuples of tensors', () => {
  assert.deepEqual(numbers(ops.add(vector, vector, { alpha: 10 })), [11, 22, 33]);
  assert.deepEqual(numbers(ops.cat([vector, vector])), [1, 2, 3, 1, 2, 3]);
  assert.deepEqual(ops.split(vector, 2).map(numbers), [[1, 2], [3]]);
  const [values, indices] = ops.topk(vector, 2);
  assert.deepEqual(
    [numbers(values), numbers(indices)],
    [
      [3, 2],
      [2, 1],
    ],
  );
});

test('Tensor? takes a tensor, null or nothing', () => {
  const normal = ops.layerNorm(vector, [3], { weight: null });
  const scaled = ops.layerNorm(vector, [3], { weight: fromArray([2, 2, 2], [3]) });
  assert.deepEqual(numbers(ops.mulScalar(normal, 2)), numbers(scaled));
  assert.deepEqual(numbers(ops.layerNorm(vector, [3])), numbers(normal));
});

test('Tensor?[] leaves out dimensions', () => {
  const column = ops.index(matrix, [null, fromArray([1], [1], { dtype: 'int64' })]);
  assert.deepEqual(numbers(column), [2, 4]);
});

test('a Scalar is an integer, a float, a boolean or a bigint', () => {
  const ints = fromArray([1, 2], [2], { dtype: 'int64' });
  assert.equal(ops.addScalar(ints, 1).dtype, 'int64');
  assert.equal(ops.addScalar(ints, 0.5).dtype, 'float32');
  assert.equal(ops.full([1], true).dtype, 'bool');
  assert.deepEqual(
    ops.full([1], 9007199254740993n).toArray(),
    new BigInt64Array([9007199254740993n]),
  );
  assert.ok(Object.is(ops.full([1], -0).item(), -0));
  assert.equal(ops.full([1], Number.NaN).item(), Number.NaN);
  const lists = callOperator('aten::_foreach_add.ScalarList', [vector, vector], [1, 0.5]);
  assert.deepEqual((lists as Tensor[]).map(numbers), [
    [2, 3, 4],
    [1.5, 2.5, 3.5],
  ]);
});

test('int, int[], a single number for int[n], bigint', () => {
  assert.deepEqual(numbers(ops.select(matrix, 0, 1)), [3, 4]);
  assert.deepEqual(ops.view(matrix, [4, 1]).shape, [4, 1]);
  assert.deepEqual(numbers(ops.sumDim(matrix, 0)), [4, 6]);
  assert.deepEqual(numbers(ops.sumDim(matrix, [0, 1], { keepdim: true })), [10]);
  assert.deepEqual(numbers(ops.sumDim(matrix, null)), [10]);
  assert.deepEqual(numbers(callOperator('aten::select.int', matrix, 0n, 1n)), [3, 4]);
  const image = ops.ones([1, 1, 4, 4]);
  const kernel = ops.ones([1, 1, 2, 2]);
  assert.deepEqual(ops.conv2d(image, kernel, { stride: 2 }).shape, [1, 1, 2, 2]);
});

test('float, bool, str and float[]', () => {
  assert.deepEqual(numbers(ops.normal_(ops.empty([2]), { mean: 3.5, std: 0 })), [3.5, 3.5]);
  const exact = numbers(ops.gelu(vector));
  assert.notDeepEqual(numbers(ops.gelu(vector, { approximate: 'tanh' })), exact);
  const image = ops.ones([1, 1, 2, 2]);
  const larger = callOperator('aten::upsample_nearest2d.vec', image, null, [1.5, 2]);
  assert.deepEqual((larger as Tensor).shape, [1, 1, 3, 4]);
});

test('bool[] chooses results, absent ones are null', () => {
  const [, mean, rstd] = ops.nativeLayerNorm(matrix, [2], null, null, 1e-5);
  const results = callOperator(
    'aten::native_layer_norm_backward',
    ...[matrix, matrix, [2], mean, rstd, ops.ones([2]), null, [false, true, false]],
  );
  assert.deepEqual(
    (results as unknown[]).map((r) => r instanceof Tensor),
    [false, true, false],
  );
});

test('dtype, device, layout and memory format', () => {
  const created = ops.zeros([2], { dtype: 'bfloat16', device: 'cpu', layout: 'strided' });
  assert.deepEqual([created.dtype, created.device], ['bfloat16', 'cpu']);
  const image = ops.reshape(ops.arange(8), [1, 2, 2, 2]);
  const inMemory = (t: Tensor): number[] => numbers(callOperator('aten::as_strided', t, [8], [1]));
  const last = ops.contiguous(image, { memoryFormat: 'channelsLast' });
  assert.deepEqual(inMemory(last), [0, 4, 1, 5, 2, 6, 3, 7]);
  assert.deepEqual(inMemory(ops.contiguous(last)), [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a generator gives the same draw for the same seed', () => {
  const draw = (): number[] =>
    numbers(ops.randGenerator([4], { generator: createGenerator('cpu', 5) }));
  assert.deepEqual(draw(), draw());
});

test('results that are no tensors', () => {
  assert.equal(ops.equal(vector, vector), true);
  assert.equal(callOperator('aten::size.int', vector, 0), 3);
  assert.equal(callOperator('aten::promote_types', 'int64', 'float16'), 'float16');
  assert.equal(callOperator('aten::item', fromArray([2.5], [1])), 2.5);
  assert.equal(callOperator('aten::_foreach_zero_', [ops.ones([2])]), undefined);
});

test('an in-place operator returns the tensor it was given, with its new shape', () => {
  const target = ops.ones([2, 3]);
  assert.deepEqual(target.shape, [2, 3]);
  assert.equal(ops.mulScalar_(target, 3), target);
  assert.equal(callOperator('aten::t_', target), target);
  assert.deepEqual(target.shape, [3, 2]);
});

test('a wrong argument is named with what was expected and what came', () => {
  fails(
    () => callOperator('aten::add.Tensor', vector, 'x'),
    /`other` \(Tensor\) a Tensor; got "x"/,
  );
  fails(() => callOperator('aten::add.Tensor', vector), /`other`.*got nothing/);
  fails(
    () => callOperator('aten::select.int', vector, 0.5, 0),
    /`dim` \(int\) an integer; got 0.5/,
  );
  fails(() => callOperator('aten::select.int', vector, 2 ** 60, 0), /an integer; got/);
  fails(() => callOperator('aten::select.int', vector, 2n ** 70n, 0), /integer of 64 bits/);
  fails(() => callOperator('aten::cat', vector), /`tensors` \(Tensor\[\]\) an array; got Tensor/);
  fails(() => callOperator('aten::cat', [vector, 1]), /a Tensor; got 1/);
  fails(() => callOperator('aten::gelu', vector, 7), /`approximate` \(str\) a string; got 7/);
  fails(() => callOperator('aten::zeros', [1], 'float31'), /a dtype such as .* got "float31"/);
  fails(() => callOperator('aten::zeros', [1], null, null, 'gpu'), /a device such as .* got "gpu"/);
  fails(() => callOperator('aten::zeros', [1], null, 'sparse'), /"strided"/);
  fails(() => callOperator('aten::contiguous', vector, 'rows'), /"channelsLast"/);
  fails(() => callOperator('aten::rand.generator', [1], vector), /a Generator; got Tensor/);
  fails(
    () => callOperator('aten::sum.dim_IntList', vector, 0, 'yes'),
    /`keepdim` \(bool\) a boolean/,
  );
  fails(() => callOperator('aten::add.Scalar', vector, {}), /a number, a bigint or a boolean/);
  fails(() => callOperator('aten::neg', vector, 1, 2), /at most 1 arguments; got 3/);
});

test('an unknown operator lists the overloads there are', () => {
  const error = fails(
    () => callOperator('aten::add.Tesnor', vector),
    /no operator named aten::add.Tesnor/,
  );
  assert.match(error.hint ?? '', /aten::add\.Tensor/);
});

test('a failing computation names operator, arguments and schema', () => {
  const error = fails(
    () => ops.mm(matrix, vector),
    /aten::mm failed: .*mat2 = Tensor float32\[3\]/s,
  );
  assert.equal(error.code, 'native');
  assert.match(error.hint ?? '', /aten::mm\(Tensor self, Tensor mat2\)/);
});

test('running out of memory has its own code', () => {
  const error = fails(
    () => ops.empty([1e15]),
    /4000000000000000 bytes.*size = \[1000000000000000\]/s,
  );
  assert.equal(error.code, 'memory');
  assert.ok(error.hint);
});

test('a freed tensor is refused, a foreign value never crashes', () => {
  const freed = tidy(() => ops.add(vector, vector));
  freed.dispose();
  freed.dispose();
  fails(() => ops.add(vector, freed), /aten::add.Tensor, `other`: The tensor was freed/);
  fails(() => freed.shape, /was freed/);
  const foreign = { handle: createGenerator('cpu', 1).handle } as unknown as Tensor;
  fails(() => ops.neg(foreign), /a Tensor; got a Generator/);
  const addon = native() as unknown as Record<string, (...values: unknown[]) => unknown>;
  for (const [name, exported] of Object.entries(addon)) {
    if (name === 'setErrorFactory') continue;
    for (const value of [
      undefined,
      null,
      1,
      'x',
      {},
      [],
      () => 1,
      foreign.handle,
      Symbol.iterator,
    ]) {
      try {
        exported(value, value, value);
      } catch (error) {
        assert.ok(error instanceof Error, name);
      }
    }
  }
  noGrad(() => assert.equal(ops.sum(vector).item(), 6));
});
