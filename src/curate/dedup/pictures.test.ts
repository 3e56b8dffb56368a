// Duplicates: what must be found, and the false clusters that plain difference hashes make.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../core/hash.ts';
import {
  hammingDistance,
  meanDistance,
  type PerceptualHash,
  perceptualHash,
} from '../../image/perceptual-hash.ts';
import { createHammingIndex } from './hamming-index.ts';
import { openPictures } from './pictures.ts';

const LIMITS = { maxHamming: 10, maxColourDifference: 24 };

function hashOf(bits: readonly number[], grey = 128): PerceptualHash {
  return { bits: Uint32Array.from(bits), means: new Uint8Array(192).fill(grey) };
}

type Named = Readonly<Record<string, PerceptualHash>>;

/** Names of the pictures that go, in the order given, with the name and distance of their twin. */
function findNear(pictures: Named, limits = LIMITS): Record<string, [twin: string, bits: number]> {
  const names = Object.keys(pictures);
  const near = openPictures(names.length, limits);
  const found: Record<string, [string, number]> = {};
  for (const [place, { bits, means }] of Object.values(pictures).entries()) {
    near.load(place, { hash: new Uint8Array(bits.buffer), means });
  }
  for (const [place, name] of names.entries()) {
    const twin = near.nearest(place);
    if (twin === undefined) near.add(place);
    else found[name] = [names[twin.row] ?? '', twin.distance];
  }
  return found;
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

test('ten differing bits are near, eleven are not; the nearest one is named', () => {
  const a = randomHash(1);
  const found = findNear({ a, b: flip(a, 10, 1), c: flip(a, 11, 2), d: flip(a, 3, 3) });
  assert.deepEqual(found, { b: ['a', 10], d: ['a', 3] });
});

for (const maxHamming of [0, 3, 10, 15]) {
  test(`the bands miss nothing within ${maxHamming} bits that comparing all pairs finds`, () => {
    const random = createRandom('recall', maxHamming);
    const pictures: Record<string, PerceptualHash> = {};
    for (let i = 0; i < 60; i++) {
      const base = randomHash(i);
      pictures[`s${i}`] = base;
      for (let k = 0; k < 4; k++) {
        pictures[`s${i}v${k}`] = flip(base, random.int(2 * maxHamming + 2), 100 * i + k);
      }
    }
    const found = findNear(pictures, { ...LIMITS, maxHamming });
    const kept: PerceptualHash[] = [];
    for (const [name, hash] of Object.entries(pictures)) {
      const nearest = Math.min(...kept.map((other) => hammingDistance(hash, other)), 257);
      assert.equal(found[name]?.[1], nearest <= maxHamming ? nearest : undefined, name);
      if (nearest > maxHamming) kept.push(hash);
    }
    assert.ok(Object.keys(found).length > 50);
  });
}

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
  const hashes: Record<string, PerceptualHash> = {};
  for (const [name, image] of Object.entries(pictures)) hashes[name] = await perceptualHash(image);
  for (const { bits } of Object.values(hashes)) assert.ok(bits.every((word) => word === 0));
  assert.deepEqual(findNear(hashes), {});
  const blind = findNear(hashes, { ...LIMITS, maxColourDifference: 255 });
  assert.equal(Object.keys(blind).length, 4);
});

test('colour variants of one drawing are different pictures', async () => {
  const disc = (r: number, g: number, b: number) =>
    picture((x, y) => ((x - 32) ** 2 + (y - 32) ** 2 < 700 ? [r, g, b] : [255, 255, 255]));
  const green = await perceptualHash(disc(30, 160, 30));
  const blue = await perceptualHash(disc(30, 30, 240));
  const again = await perceptualHash(disc(34, 158, 28));
  assert.ok(hammingDistance(green, blue) <= 10);
  assert.ok(meanDistance(green, blue) > 24);
  assert.deepEqual(Object.keys(findNear({ green, blue, again })), ['again']);
});

test('a limit the index cannot keep is refused', () => {
  assert.throws(() => createHammingIndex(new Uint32Array(8), 16), RangeError);
});
