// Order, limit, failures and early ends of concurrent mapping.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapConcurrent } from './pool.ts';

test('results are in order, at most `limit` calls run at once', async () => {
  let running = 0;
  let most = 0;
  const results = mapConcurrent([30, 1, 20, 2, 10], 3, async (ms, index) => {
    running += 1;
    most = Math.max(most, running);
    await sleep(ms);
    running -= 1;
    return index * 100 + ms;
  });
  assert.deepEqual(await Array.fromAsync(results), [30, 101, 220, 302, 410]);
  assert.equal(most, 3);
});

test('asynchronous input, synchronous work, empty input, wrong limit', async () => {
  async function* source(): AsyncGenerator<number> {
    yield 1;
    yield 2;
  }
  assert.deepEqual(await Array.fromAsync(mapConcurrent(source(), 2, (x) => x * 2)), [2, 4]);
  assert.deepEqual(await Array.fromAsync(mapConcurrent([], 2, (x) => x)), []);
  await assert.rejects(Array.fromAsync(mapConcurrent([1], 0, (x) => x)), RangeError);
});

test('a failure comes in its turn, after the jobs under way have ended', async () => {
  let ended = 0;
  const seen: number[] = [];
  const work = async (): Promise<void> => {
    const results = mapConcurrent([0, 1, 2, 3, 4, 5], 3, async (x) => {
      await sleep(x === 1 ? 1 : 15);
      ended += 1;
      if (x === 1) throw new Error('broken');
      return x;
    });
    for await (const x of results) seen.push(x);
  };
  await assert.rejects(work(), /broken/);
  assert.deepEqual(seen, [0]);
  assert.ok(ended >= 3);
});

test('leaving early leaves nothing running', async () => {
  let running = 0;
  const results = mapConcurrent([1, 2, 3, 4], 2, async (x) => {
    running += 1;
    await sleep(5);
    running -= 1;
    return x;
  });
  for await (const x of results) if (x === 1) break;
  assert.equal(running, 0);
});
