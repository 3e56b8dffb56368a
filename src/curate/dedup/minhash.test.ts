// MinHash: signatures estimate the overlap of word runs, and bands find what overlaps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import { createSignatureIndex, createSigner, MINHASH } from './minhash.ts';

const SIZE = MINHASH.numBands * MINHASH.rowsPerBand;
const sign = createSigner();

/** Overlap of the sets of runs of five words, counted. */
function overlap(a: string, b: string): number {
  const runs = (text: string): Set<string> => {
    const words = text.split(' ');
    return new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(' ')));
  };
  const [left, right] = [runs(a), runs(b)];
  const both = [...left].filter((run) => right.has(run)).length;
  return both / (left.size + right.size - both);
}

function text(seed: string, numWords: number): string {
  const random = createRandom(seed);
  return Array.from({ length: numWords }, () => `w${random.int(5000)}`).join(' ');
}

/** The text with some words replaced. */
function edit(original: string, times: number, seed: number): string {
  const words = original.split(' ');
  const random = createRandom('edit', seed);
  for (let i = 0; i < times; i++) words[random.int(words.length)] = `new${i}`;
  return words.join(' ');
}

test('agreement of signatures estimates the counted overlap without bias', () => {
  let sum = 0;
  let numPairs = 0;
  for (let i = 0; i < 60; i++) {
    const a = text(`t${i}`, 120);
    const b = edit(a, i % 12, i);
    const [x, y] = [sign(a), sign(b)];
    const same = x.reduce((count, value, k) => count + (value === y[k] ? 1 : 0), 0) / SIZE;
    assert.ok(Math.abs(same - overlap(a, b)) < 0.2, `${same} for ${overlap(a, b)}`);
    sum += same - overlap(a, b);
    numPairs += 1;
  }
  // Standard error of one estimate is at most 0.047; of the mean of 60, 0.006.
  assert.ok(Math.abs(sum / numPairs) < 0.02, `bias ${sum / numPairs}`);
});

test('letter case and signs do not count; short texts count as a whole', () => {
  assert.deepEqual(sign('A red CAR, parked!'), sign('a red car parked'));
  assert.notDeepEqual(sign('a red car'), sign('a blue car'));
});

test('near texts are found, far ones are not, and texts without words are like nothing', () => {
  const texts = ['', '...'];
  for (let i = 0; i < 50; i++) {
    const base = text(`base${i}`, 80);
    texts.push(base, edit(base, 1, i), text(`other${i}`, 80));
  }
  const all = new Uint32Array(SIZE * texts.length);
  for (const [i, one] of texts.entries()) all.set(sign(one), SIZE * i);
  const index = createSignatureIndex(all, 0.6);
  const twins: number[] = [];
  for (const i of texts.keys()) {
    const near = index.nearest(i);
    if (near === undefined) index.add(i);
    else {
      assert.equal(near.row, i - 1, 'the twin is the text before the edit');
      assert.ok(near.distance <= 0.4);
      twins.push(i);
    }
  }
  assert.ok(twins.length >= 48, `${twins.length} of 50 twins found`);
  assert.ok(twins.every((i) => (i - 2) % 3 === 1));
});
