// The cut into head, middle and tail, and the accuracy of each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bandLimits, bandOf, scoreBands } from './bands.ts';

const counts = new Map([
  ['animal', 30],
  ['dog', 10],
  ['cat', 10],
  ['heron', 10],
  ['axolotl', 10],
  ['yak', 10],
  ['quokka', 10],
]);

test('each band holds about a third of the occurrences', () => {
  const zipf = new Map(Array.from({ length: 300 }, (_, k) => [`c${k}`, Math.ceil(900 / (k + 1))]));
  const limits = bandLimits(zipf);
  const mass = { head: 0, middle: 0, tail: 0, unseen: 0 };
  for (const [concept, count] of zipf) mass[bandOf(concept, zipf, limits)] += count;
  const total = mass.head + mass.middle + mass.tail;
  for (const band of ['head', 'middle', 'tail'] as const) {
    assert.ok(mass[band] / total > 0.2 && mass[band] / total < 0.5, `${band} ${mass[band]}`);
  }
});

test('concepts of one count stay in one band', () => {
  const limits = bandLimits(counts);
  assert.equal(bandOf('animal', counts, limits), 'head');
  const bands = ['dog', 'cat', 'heron', 'yak'].map((name) => bandOf(name, counts, limits));
  assert.equal(new Set(bands).size, 1);
  assert.equal(bandOf('phoenix', counts, limits), 'unseen');
});

test('accuracy by band counts every item with a concept once', () => {
  const scores = scoreBands(
    [
      { concept: 'animal', correct: true },
      { concept: 'animal', correct: false },
      { concept: 'phoenix', correct: true },
      { concept: undefined, correct: true },
    ],
    counts,
  );
  assert.deepEqual(scores.head, { items: 2, correct: 1, accuracy: 0.5 });
  assert.deepEqual(scores.unseen, { items: 1, correct: 1, accuracy: 1 });
  assert.equal(scores.tail, undefined);
});
