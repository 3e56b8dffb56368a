// Numbers and white space as Python 3.11 has them; the expected values are Python's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  editDistance,
  float,
  floatText,
  integer,
  numCharacters,
  round,
  strip,
  stripEach,
  words,
} from './python.ts';

test('round: half to even on the binary value', () => {
  const cases = [
    ...[
      [0.5, 0, 0],
      [1.5, 0, 2],
      [2.5, 0, 2],
      [0.125, 1, 0.1],
      [0.125, 2, 0.12],
      [2.675, 2, 2.67],
    ],
    ...[
      [1.005, 2, 1],
      [-1.5, 0, -2],
      [123456.785, 2, 123456.79],
      [0.045, 2, 0.04],
    ],
    ...[
      [-2.345, 1, -2.3],
      [-2.345, 2, -2.35],
      [1e22, 2, 1e22],
      [1e-7, 2, 0],
      [1e15, 1, 1e15],
    ],
  ] as const;
  for (const [value, digits, expected] of cases) assert.equal(round(value, digits), expected);
});

test('str(float)', () => {
  for (const [value, expected] of [
    ...[
      [7, '7.0'],
      [1e16, '1e+16'],
      [1e15, '1000000000000000.0'],
      [1e-5, '1e-05'],
    ],
    ...[
      [123456789012345680, '1.2345678901234568e+17'],
      [0.0001, '0.0001'],
      [-0, '-0.0'],
    ],
    ...[
      [1e22, '1e+22'],
      [1.5e300, '1.5e+300'],
      [3.14, '3.14'],
      [5e-324, '5e-324'],
    ],
    ...[
      [100000, '100000.0'],
      [1234567.125, '1234567.125'],
      [Number.NaN, 'nan'],
    ],
  ] as const) {
    assert.equal(floatText(value), expected);
  }
});

test('float() and int(): what they take and what they refuse', () => {
  for (const [text, expected] of [
    ...[
      ['', null],
      ['0x10', null],
      ['1_000', 1000],
      ['1__0', null],
      ['_1', null],
      ['1_', null],
    ],
    ...[
      ['inf', Infinity],
      ['+Infinity', Infinity],
      ['１２', 12],
      ['٣.٥', 3.5],
      [' 7 ', 7],
    ],
    ...[
      ['\x1c7\x1f', null],
      ['\ufeff7', null],
      ['1e5', 1e5],
      ['1e', null],
      ['e5', null],
    ],
    ...[
      ['.', null],
      ['1.', 1],
      ['-.5', -0.5],
      ['--1', null],
      ['1,000', null],
      ['𝟏𝟐', 12],
    ],
    ...[
      ['½', null],
      ['1e400', Infinity],
      ['0b1', null],
      ['1 2', null],
      ['\u00a03\u3000', 3],
    ],
  ] as const) {
    assert.equal(float(text), expected ?? undefined, JSON.stringify(text));
  }
  assert.ok(Number.isNaN(float('-nan')));
  for (const [text, expected] of [
    ...[
      ['7', '7'],
      ['007', '7'],
      ['-0', '0'],
      ['+5', '5'],
      ['1_000', '1000'],
      ['3.0', null],
    ],
    ...[
      ['', null],
      [' 9 ', '9'],
      ['१२', '12'],
      ['1e3', null],
    ],
    ['99999999999999999999', '99999999999999999999'],
  ] as const) {
    assert.equal(integer(text), expected ?? undefined, JSON.stringify(text));
  }
});

test('white space, code points and stripping in order', () => {
  assert.equal(strip('\x1ca\x85b\u3000'), 'a\x85b');
  assert.deepEqual(words('\x1ca\x85b\u3000'), ['a', 'b']);
  assert.equal(strip('\ufeffa '), '\ufeffa');
  assert.deepEqual(words('a\u200bb'), ['a\u200bb']);
  assert.equal(strip('\u2028z\u2029'), 'z');
  assert.equal(numCharacters('😀a'), 2);
  assert.equal(editDistance('😀a', 'b'), 2);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(stripEach('.,x.,', ',.'), ',x');
});
