// Table-driven: every outcome of every scorer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExactScorer } from '../benchmark.ts';
import type { Outcome } from '../outcome.ts';
import { byMeanLoss, byPmi, byYesNo, optionLoss, scoreChoice } from './choice.ts';
import { scoreExact } from './exact.ts';
import { type Normaliser, normalise } from './normalise.ts';

const decoding = { maxNewTokens: 8, temperature: 0 };

test('normalise', () => {
  const table: [string, Normaliser, string | undefined][] = [
    ['  Yes. ', 'text', 'yes'],
    ['"Red"', 'text', 'red'],
    ['top\n left!', 'text', 'top left'],
    ['', 'text', undefined],
    ['?!', 'text', undefined],
    ['Ｔｗｏ', 'text', 'two'],
    ['042', 'number', '042'],
    ['The number is 7.', 'number', '7'],
    ['Three.', 'number', '3'],
    ['3 or 4', 'number', undefined],
    ['one, two', 'number', undefined],
    ['someone', 'number', undefined],
    ['many', 'number', undefined],
  ];
  for (const [text, normaliser, expected] of table) {
    assert.equal(normalise(text, normaliser), expected, `${normaliser} of ${JSON.stringify(text)}`);
  }
});

test('exact match gives each typed outcome', () => {
  const number: ExactScorer = {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'number',
    decoding,
  };
  const yesNo: ExactScorer = {
    kind: 'exact',
    prompt: '{question}',
    normaliser: 'text',
    answers: ['yes', 'no'],
    decoding,
  };
  const table: [ExactScorer, string, string, boolean, Outcome][] = [
    [number, '42', '42', false, 'correct'],
    [number, '42', 'It says 42.', false, 'correct'],
    [number, '042', '42', false, 'wrong'],
    [number, '42', 'a cat', false, 'unparsed'],
    [number, '42', '42', true, 'truncated'],
    [yesNo, 'Yes', 'yes.', false, 'correct'],
    [yesNo, 'Yes', 'No', false, 'wrong'],
    [yesNo, 'Yes', 'perhaps', false, 'unparsed'],
    [yesNo, 'Yes', '', false, 'unparsed'],
  ];
  for (const [scorer, answer, text, truncated, outcome] of table) {
    const verdict = scoreExact(scorer, answer, { text, truncated });
    assert.equal(verdict.outcome, outcome, JSON.stringify({ answer, text, truncated }));
    assert.equal(verdict.prediction, text);
  }
});

test('the loss of an option under each rule', () => {
  const score = { sumLogProb: -6, numTokens: 3 };
  const anyway = { sumLogProb: -12, numTokens: 3 };
  assert.equal(optionLoss(byMeanLoss().terms, [score]), 2);
  assert.equal(optionLoss(byPmi().terms, [score, anyway]), -6);
  assert.equal(optionLoss(byYesNo('Is this {option}?').terms, [score, anyway]), -6);
  assert.throws(() => optionLoss(byPmi().terms, [score]), /number 1 is missing/);
});

test('choice takes the lowest loss and refuses to guess', () => {
  const options = ['cat', 'dog', 'fox'];
  assert.deepEqual(scoreChoice(options, 'dog', [2, 1, 3]), {
    outcome: 'correct',
    prediction: 'dog',
    losses: [2, 1, 3],
  });
  assert.equal(scoreChoice(options, 'cat', [2, 1, 3]).outcome, 'wrong');
  assert.equal(scoreChoice(options, 'cat', [1, 1, 3]).outcome, 'unparsed');
  assert.equal(scoreChoice(options, 'cat', [1, Number.NaN, 3]).outcome, 'unparsed');
});
