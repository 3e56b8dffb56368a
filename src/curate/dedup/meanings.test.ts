// Near meanings against comparing all pairs, on clusters of random vectors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import { openMeanings } from './meanings.ts';

const DIM = 24;

function unit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
}

test('close vectors are found, and nearly none is missed that comparing all pairs finds', () => {
  const random = createRandom('meanings');
  const vectors: Float32Array[] = [];
  for (let i = 0; i < 200; i++) {
    const base = Array.from({ length: DIM }, () => random.normal());
    for (let k = 0; k < 3; k++) {
      vectors.push(unit(base.map((value) => value + 0.05 * k * random.normal())));
    }
  }
  const near = openMeanings(vectors.length, 0.95);
  for (const [place, vector] of vectors.entries()) {
    near.load(place, { embedding: new Uint8Array(vector.buffer) });
  }
  const kept: Float32Array[] = [];
  let [missed, found] = [0, 0];
  for (const [place, vector] of vectors.entries()) {
    const twin = near.nearest(place);
    const best = Math.max(-1, ...kept.map((other) => cosine(vector, other)));
    if (twin === undefined) {
      near.add(place);
      kept.push(vector);
      if (best >= 0.95) missed += 1;
    } else {
      assert.ok(cosine(vector, vectors[twin.row] ?? vector) >= 0.95 - 1e-6);
      found += 1;
    }
  }
  assert.ok(found >= 390, `${found} of 400 found`);
  assert.ok(missed <= 10, `${missed} missed`);
});
