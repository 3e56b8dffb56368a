// Lifetimes: what tidy frees and keeps, the safety net, and what memory() counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fromArray, keep, memory, type Tensor, tidy } from './index.ts';
import * as ops from './ops.ts';

const base = memory().numTensors;
const live = (): number => memory().numTensors - base;

test('tidy frees all but what it returns, also inside arrays, maps and objects', () => {
  const result = tidy(() => {
    const a = ops.ones([4]);
    const b = ops.add(a, a);
    return { list: [b], map: new Map([['c', ops.neg(b)]]), n: 1, again: b };
  });
  assert.equal(live(), 2);
  assert.deepEqual(result.list[0]?.toNumbers(), [2, 2, 2, 2]);
  result.again.dispose();
  result.map.get('c')?.dispose();
  assert.equal(live(), 0);
});

test('what a tidy returns belongs to the one around it', () => {
  tidy(() => {
    const inner = tidy(() => ops.ones([1]));
    assert.equal(inner.item(), 1);
    assert.equal(live(), 1);
  });
  assert.equal(live(), 0);
});

test('keep exempts from every scope', () => {
  let kept: Tensor | undefined;
  tidy(() =>
    tidy(() => {
      kept = keep([ops.ones([1])])[0];
    }),
  );
  assert.equal(kept?.item(), 1);
  kept?.dispose();
  assert.equal(live(), 0);
});

test('an error frees too, and an asynchronous body is refused', () => {
  assert.throws(() =>
    tidy(() => {
      ops.ones([1]);
      throw new Error('inside');
    }),
  );
  assert.throws(() => tidy(async () => ops.ones([1])), /synchronous function; got a Promise/);
  assert.equal(live(), 0);
});

test('using frees at the end of the block', () => {
  {
    using tensor = ops.ones([1]);
    assert.equal(tensor.item(), 1);
  }
  assert.equal(live(), 0);
});

test('memory counts a storage once however many views it has', () => {
  const before = memory().sizeBytes;
  tidy(() => {
    const whole = ops.zeros([10, 10]);
    ops.select(whole, 0, 1);
    ops.transpose(whole, 0, 1);
    assert.equal(live(), 3);
    assert.equal(memory().sizeBytes - before, 400);
  });
});

test('garbage collection frees what nobody disposed', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  (() => {
    for (let i = 0; i < 100; i++) fromArray([i], [1]);
  })();
  assert.ok(live() > 0);
  for (let i = 0; i < 10 && live() > 0; i++) {
    collectGarbage();
    await nextTurn();
  }
  assert.equal(live(), 0);
});
