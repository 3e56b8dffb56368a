// Hashes and random streams: golden values, uniformity, independence of parts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coin, createRandom, hashUint32, sha256Hex } from './hash.ts';

test('hashes never change: they decide splits and orders of data that lie on disks', () => {
  assert.equal(hashUint32(), 1130161529);
  assert.equal(hashUint32('a'), 2620347003);
  assert.equal(hashUint32('a', 1), 872206281);
  assert.equal(hashUint32('a', '1'), 2359809695);
  assert.equal(hashUint32('sample', 42), 16449272);
  assert.equal(coin('sample', 42), 0.0038298913315645278);
  const random = createRandom('x', 1);
  assert.equal(random.next(), 0.17296971449720255);
  assert.equal(random.next(), 0.8095236315263952);
  assert.equal(random.int(1000), 229);
});

test('the cut between parts and their types matter, the sign of zero does not', () => {
  const values = [
    hashUint32('ab', 'c'),
    hashUint32('a', 'bc'),
    hashUint32('abc'),
    hashUint32('abc', ''),
    hashUint32(1),
    hashUint32('1'),
    hashUint32(1, 0),
    hashUint32(0, 1),
    hashUint32(0.5),
  ];
  assert.equal(new Set(values).size, values.length);
  assert.equal(hashUint32(-0), hashUint32(0));
});

test('coins are uniform over uids, seeds and stages (chi-squared, 256 bins)', () => {
  for (const key of [
    (i: number) => coin(`emoji:${i}`, 7, 'balance'),
    (i: number) => coin('one', i, 'order'),
  ]) {
    const bins = new Uint32Array(256);
    for (let i = 0; i < 64000; i++) {
      const bin = Math.floor(key(i) * 256);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const chi = bins.reduce((sum, n) => sum + (n - 250) ** 2 / 250, 0);
    assert.ok(chi > 170 && chi < 350, `chi-squared ${chi} with 255 degrees of freedom`);
  }
});

test('neighbours differ in half of the bits', () => {
  let bits = 0;
  for (let i = 0; i < 4000; i++) {
    for (let x = hashUint32('k', i) ^ hashUint32('k', i + 1); x !== 0; x >>>= 1) bits += x & 1;
  }
  assert.ok(Math.abs(bits / 4000 - 16) < 0.3, `mean ${bits / 4000}`);
});

test('a stream is uniform, normal and repeats itself by name only', () => {
  const random = createRandom('stream');
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 20000; i++) {
    const x = random.normal();
    sum += x;
    squares += x * x;
    assert.ok(random.int(3) < 3 && random.range(-2, -1) < -1);
  }
  assert.ok(Math.abs(sum / 20000) < 0.03);
  assert.ok(Math.abs(squares / 20000 - 1) < 0.04);
  assert.equal(createRandom('a', 1).next(), createRandom('a', 1).next());
  assert.notEqual(createRandom('a', 1).next(), createRandom('a', 2).next());
});

test('shuffle gives every order, leaves the input alone; pick refuses an empty list', () => {
  const seen = new Set<string>();
  const input = Object.freeze([1, 2, 3]);
  for (let i = 0; i < 200; i++) seen.add(createRandom('p', i).shuffle(input).join(''));
  assert.equal(seen.size, 6);
  assert.throws(() => createRandom('p').pick([]), RangeError);
  assert.ok(input.includes(createRandom('p').pick(input)));
});

test('sha256 of text and bytes', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(sha256Hex('abc'), abc);
  assert.equal(sha256Hex(Uint8Array.of(97, 98, 99)), abc);
});
