// Top-K search against sorting all scores, with block sizes that divide nothing evenly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import { normaliseRows } from '../embed/embedder.ts';
import { PLAIN_PRODUCT } from '../embed/plain-product.ts';
import { createConceptSearch } from './top-k.ts';

test('the k nearest of each query, best first, whatever the blocks', () => {
  const random = createRandom('top-k');
  const dim = 24;
  const draw = (rows: number): Float32Array =>
    normaliseRows(
      Float32Array.from({ length: rows * dim }, () => random.normal()),
      dim,
    );
  const [queries, concepts] = [draw(37), draw(211)];
  const cosine = (query: number, concept: number): number => {
    let sum = 0;
    for (let i = 0; i < dim; i++) {
      sum += (queries[query * dim + i] ?? 0) * (concepts[concept * dim + i] ?? 0);
    }
    return Math.fround(sum);
  };
  const blocks = [
    { blockRows: 8, blockColumns: 50 },
    { blockRows: 512, blockColumns: 8192 },
    { blockRows: 1, blockColumns: 3 },
  ];
  for (const options of blocks) {
    const search = createConceptSearch(concepts, dim, PLAIN_PRODUCT, options);
    const { ids, scores } = search.search(queries, 7);
    search.free();
    for (let query = 0; query < 37; query++) {
      const all = Array.from({ length: 211 }, (_, concept) => cosine(query, concept));
      const order = [...all.keys()].sort((a, b) => (all[b] ?? 0) - (all[a] ?? 0) || a - b);
      assert.deepEqual([...ids.subarray(query * 7, query * 7 + 7)], order.slice(0, 7));
      assert.ok(Math.abs((scores[query * 7] ?? 0) - (all[order[0] ?? 0] ?? 0)) < 1e-6);
    }
  }
});

test('equal scores go by id; fewer concepts than k leave −1', () => {
  const same = Float32Array.from([1, 0, 1, 0, 0, 1]);
  const search = createConceptSearch(same, 2, PLAIN_PRODUCT, { blockColumns: 2 });
  const { ids, scores } = search.search(Float32Array.from([1, 0]), 5);
  assert.deepEqual([...ids], [0, 1, 2, -1, -1]);
  assert.deepEqual([...scores.subarray(0, 3)], [1, 1, 0]);
});

test('rows of length 1, and a row of zeros stays', () => {
  assert.deepEqual([...normaliseRows(Float32Array.from([3, 4, 0, 0]), 2)].map(Math.fround), [
    Math.fround(0.6),
    Math.fround(0.8),
    0,
    0,
  ]);
});
