// Our mathematical equality against math_verify: the same verdict on every stored pair.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mathEqual } from '../../src/eval/scorers/math/equality.ts';

const pairs: readonly (readonly [gold: string, answer: string, isEqual: boolean])[] = JSON.parse(
  readFileSync(new URL('golden/math-verify.json', import.meta.url), 'utf8'),
);

test('equal and unequal as math_verify has them', () => {
  assert.ok(pairs.filter(([, , isEqual]) => isEqual).length > 100);
  for (const [gold, answer, isEqual] of pairs) {
    assert.equal(mathEqual(answer, gold), isEqual, `${answer} for ${gold}`);
  }
});
