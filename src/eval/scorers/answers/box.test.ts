// Overlap of boxes against counting the cells of a grid, and what of a reply is a box.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../core/hash.ts';
import { scoreReply } from '../scorer.ts';
import { SCORINGS } from '../scorings.ts';
import { anyBox, type Box, overlapOf, strictBox } from './box.ts';

const SIDE = 40;

/** Cells of a grid that lie in one box and in both. */
function naiveOverlap(a: Box, b: Box): number {
  const holds = ([left, top, right, bottom]: Box, x: number, y: number): boolean =>
    x >= left && x < right && y >= top && y < bottom;
  let [both, either] = [0, 0];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      if (holds(a, x, y) && holds(b, x, y)) both += 1;
      if (holds(a, x, y) || holds(b, x, y)) either += 1;
    }
  }
  return either === 0 ? 0 : both / either;
}

test('overlap equals a naive count of cells on 2,000 random pairs', () => {
  const random = createRandom('boxes');
  const draw = (): Box => {
    const [x, y] = [random.int(SIDE), random.int(SIDE)];
    return [x, y, x + random.int(SIDE + 1 - x), y + random.int(SIDE + 1 - y)];
  };
  let numOverlapping = 0;
  for (let pair = 0; pair < 2000; pair++) {
    const [a, b] = [draw(), draw()];
    const found = overlapOf(a, b);
    assert.ok(Math.abs(found - naiveOverlap(a, b)) < 1e-12, `${a} and ${b}`);
    assert.equal(found, overlapOf(b, a));
    if (found > 0) numOverlapping += 1;
  }
  assert.ok(numOverlapping > 200);
});

test('what is a box: strictly one, in order and inside; usually the first four numbers', () => {
  const table: [string, string | undefined, string | undefined][] = [
    ['[10, 20, 300, 400]', '10,20,300,400', '10,20,300,400'],
    ['It is at (10,20,300.5,400).', '10,20,300.5,400', '10,20,300.5,400'],
    ['{"bbox": [1, 2, 3, 4]}', '1,2,3,4', '1,2,3,4'],
    ['10 20 300 400', undefined, '10,20,300,400'],
    ['[0.1, 0.2, 0.3, 0.4]', '0.1,0.2,0.3,0.4', '100,200,300,400'],
    ['[300, 20, 10, 400]', undefined, '10,20,300,400'],
    ['[-5, 20, 10, 400]', undefined, '-5,20,10,400'],
    ['[0, 20, 10, 1400]', undefined, '0,20,10,1400'],
    ['[1, 2, 3, 4] or [5, 6, 7, 8]', undefined, '1,2,3,4'],
    ['[1, 2, 3, 4], that is [1, 2, 3, 4]', '1,2,3,4', '1,2,3,4'],
    ['[1, 2, 3]', undefined, undefined],
    ['<think>[9, 9, 99, 99]</think>[1, 2, 3, 4]', '1,2,3,4', '9,9,99,99'],
    ['', undefined, undefined],
  ];
  for (const [text, strict, any] of table) {
    assert.equal(strictBox(text)?.join(), strict, text);
    assert.equal(anyBox(text)?.join(), any, text);
  }
});

test('the outcomes of a box', () => {
  const item = { uid: 'a', answers: ['[100, 100, 300, 300]'] };
  const outcome = (text: string, profile: 'strict' | 'official' = 'strict'): string =>
    scoreReply(SCORINGS.box, { text }, item, profile).outcome;
  assert.equal(outcome('[110, 90, 290, 310]'), 'correct');
  assert.equal(outcome('[100, 100, 300, 200]'), 'correct', 'exactly one half');
  assert.equal(outcome('[100, 100, 300, 199]'), 'wrong');
  assert.equal(outcome('in the middle'), 'unparsed');
  assert.equal(outcome('I cannot see it.'), 'refused');
  assert.equal(outcome('0.1, 0.1, 0.3, 0.3', 'official'), 'correct');
});
