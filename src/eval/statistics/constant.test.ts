// The best constant answer against trying every answer by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestConstant } from './constant.ts';

test('the best of the answers, the more frequent of equals, none without items', () => {
  const golds = ['no', 'yes', 'yes', '12', '12.3'];
  const equal = (answer: string): number => golds.filter((gold) => gold === answer).length / 5;
  assert.deepEqual(bestConstant(golds, equal), { answer: 'yes', score: 0.4 });
  const near = (answer: string): number =>
    golds.filter((gold) => Math.abs(Number(gold) - Number(answer)) < 1).length / 5;
  assert.deepEqual(bestConstant(golds, near), { answer: '12', score: 0.4 });
  assert.deepEqual(
    bestConstant(['a', 'b', 'b'], () => 0.5),
    { answer: 'b', score: 0.5 },
  );
  assert.equal(bestConstant([], equal), undefined);
});
