// Every question of CharXiv against the string that lmms-eval asks, by its hash.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sha256Hex } from '../../src/core/hash.ts';
import { charxivQuestion } from '../../src/eval/benchmarks/ocr-chart/charxiv-questions.ts';

const golden: readonly (readonly [sort: number, place: string | [number, number], hash: string])[] =
  JSON.parse(readFileSync(new URL('golden/charxiv-questions.json', import.meta.url), 'utf8'));

test('the nineteen sorts are asked as lmms-eval asks them, to the letter', () => {
  assert.equal(golden.length, 19 * 4);
  for (const [sort, place, hash] of golden) {
    const [row, column] = typeof place === 'string' ? [1, 1] : place;
    const words = typeof place === 'string' ? place : undefined;
    const question = charxivQuestion(sort, { row, column, place: words });
    assert.equal(sha256Hex(question).slice(0, 16), hash, question);
  }
});
