// Duplicates: what must be found, and the false clusters that plain difference hashes make.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../core/hash.ts';
import {
  hammingDistance,
  meanDistance,
  type PerceptualHash,
  perceptualHash,
} from '../image/perceptual-hash.ts';
import { type Fingerprint, findDuplicates } from './dedup.ts';

const LIMITS = { maxHamming: 10, maxColourDifference: 24 };

function hashOf(bits: readonly number[], grey = 128): PerceptualHash {
  return { bits: Uint32Array.from(bits), means: new Uint8Array(192).fill(grey) };
}

function mark(uid: string, hash?: PerceptualHash, identity = uid): Fingerprint {
  return hash === undefined ? { uid, identity } : { uid, identity, hash };
}

/** `hash` with `count` of its bits flipped. */
function flip(hash: PerceptualHash, count: number, seed: number): PerceptualHash {
  const bits = Uint32Array.from(hash.bits);
  const places = createRandom('flip', seed).shuffle(Array.from({ length: 256 }, (_, i) => i));
  for (const place of places.slice(0, count)) {
    bits[place >> 5] = (bits[place >> 5] ?? 0) ^ (1 << (place & 31));
  }
  return { bits, means: hash.means };
}

function randomHash(seed: number): PerceptualHash {
  const random = createRandom('hash', seed);
  return hashOf(Array.from({ length: 8 }, () => random.int(2 ** 32)));
}

test('equal bytes are exact duplicates of the first uid, in whatever order they come', () => {
  const samples = [mark('b', undefined, 'x'), mark('a', undefined, 'x'), mark('c', undefined, 'y')];
  for (const list of [samples, samples.toReversed()]) {
    const found = findDuplicates(list, LIMITS);
    assert.deepEqual([...found], [['b', { of: 'a', kind: 'exact-duplicate', distance: 0 }]]);
  }
});

test('ten differing bits are near, eleven are not; the nearest one is named', () => {
  const base = randomHash(1);
  const found = findDuplicates(
    [
      mark('a', base),
      mark('b', flip(base, 10, 1)),
      mark('c', flip(base, 11, 2)),
      mark('d', flip(base, 3, 3)),
    ],
    LIMITS,
  );
  assert.deepEqual([...found.keys()].sort(), ['b', 'd']);
  assert.deepEqual(found.get('d'), { of: 'a', kind: 'near-duplicate', distance: 3 });
});

test('the band index misses nothing that comparing all pairs finds', () => {
  const random = createRandom('recall');
  const samples: Fingerprint[] = [];
  for (let i = 0; i < 60; i++) {
    const base = randomHash(i);
    samples.push(mark(`s${i}`, base));
    for (let k = 0; k < 4; k++)
      samples.push(mark(`s${i}v${k}`, flip(base, random.int(16), 100 * i + k)));
  }
  const found = findDuplicates(samples, LIMITS);
  const kept: Fingerprint[] = [];
  for (const sample of samples.toSorted((a, b) => (a.uid < b.uid ? -1 : 1))) {
    const { hash } = sample;
    assert.ok(hash);
    const near = kept.some(
      (other) => other.hash !== undefined && hammingDistance(hash, other.hash) <= 10,
    );
    assert.equal(found.has(sample.uid), near, sample.uid);
    if (!near) kept.push(sample);
  }
  assert.ok(found.size > 50);
});

function picture(colour: (x: number, y: number) => readonly [number, number, number]) {
  const data = new Uint8Array(64 * 64 * 3);
  for (let y = 0; y < 64; y++) {
    for (let x = 0; x < 64; x++) data.set(colour(x, y), 3 * (64 * y + x));
  }
  return { width: 64, height: 64, data };
}

test('horizontally even pictures all hash to zero and yet are not one cluster', async () => {
  const pictures = {
    white: picture(() => [255, 255, 255]),
    red: picture(() => [220, 20, 20]),
    haiti: picture((_, y) => (y < 32 ? [0, 32, 159] : [210, 16, 52])),
    ukraine: picture((_, y) => (y < 32 ? [0, 87, 183] : [255, 215, 0])),
    shade: picture((_, y) => [3 * y, 3 * y, 3 * y]),
  };
  const marks: Fingerprint[] = [];
  for (const [uid, image] of Object.entries(pictures))
    marks.push(mark(uid, await perceptualHash(image)));
  for (const { hash } of marks) assert.ok(hash?.bits.every((word) => word === 0));
  assert.equal(findDuplicates(marks, LIMITS).size, 0);
  assert.equal(findDuplicates(marks, { ...LIMITS, maxColourDifference: 255 }).size, 4);
});

test('colour variants of one drawing are different pictures', async () => {
  const disc = (r: number, g: number, b: number) =>
    picture((x, y) => ((x - 32) ** 2 + (y - 32) ** 2 < 700 ? [r, g, b] : [255, 255, 255]));
  const green = mark('green', await perceptualHash(disc(30, 160, 30)));
  const blue = mark('blue', await perceptualHash(disc(30, 30, 240)));
  const again = mark('green2', await perceptualHash(disc(34, 158, 28)));
  assert.ok(green.hash && blue.hash && hammingDistance(green.hash, blue.hash) <= 10);
  assert.ok(meanDistance(green.hash, blue.hash) > 24);
  assert.deepEqual([...findDuplicates([green, blue, again], LIMITS).keys()], ['green2']);
});

test('a limit the index cannot keep is refused', () => {
  assert.throws(() => findDuplicates([], { maxHamming: 16, maxColourDifference: 1 }), RangeError);
});
