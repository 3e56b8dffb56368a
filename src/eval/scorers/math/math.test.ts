// Mathematical equality: what is the same, what is not, and that no text makes it hang.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../core/hash.ts';
import { scoreReply } from '../scorer.ts';
import { SCORINGS } from '../scorings.ts';
import { mathEqual } from './equality.ts';
import { evaluate } from './evaluate.ts';
import { parseExpression } from './expression.ts';
import { mathvisionEqual } from './mathvision.ts';

test('the same answers in other words', () => {
  for (const [a, b] of [
    ['\\frac{1}{2}', '0.5'],
    ['\\frac12', '1/2'],
    ['2\\frac{1}{2}', '2.5'],
    ['\\dfrac{2\\pi}{3}', '2.09'],
    ['\\sqrt{12}', '2\\sqrt3'],
    ['x^2+2x+1', '(x+1)^2'],
    ['x = 5', '5'],
    ['$45^{\\circ}$', '45'],
    ['12 \\text{ cm}', '12'],
    ['1,000', '1000'],
    ['50\\%', '50'],
    ['(1, \\frac{1}{2})', '(1,0.5)'],
    ['\\{3,1,2\\}', '\\{1,2,3\\}'],
    ['36\\sqrt{3}+\\pi', '\\pi + 36\\sqrt{3}'],
    ['\\log_2 8', '3'],
    ['\\sin^2 x + \\cos^2 x', '\\sin^2(x)+\\cos^2(x)'],
    ['|-3|', '3'],
    ['\\binom{4}{2}', '6'],
    ['2^{-1}', '0.5'],
    ['3×4', '12'],
    ['−7', '-7'],
  ] as const) {
    assert.ok(mathEqual(a, b), `${a} = ${b}`);
  }
});

test('answers that are not the same', () => {
  for (const [a, b] of [
    ['\\frac{1}{2}', '0.51'],
    ['2.1', '2.09'],
    ['x+1', 'y+1'],
    ['x^2', '2x'],
    ['(1,2)', '(2,1)'],
    ['(1,2)', '(1,2,3)'],
    ['\\{1,1,2\\}', '\\{1,2,2\\}'],
    ['', '5'],
    ['\\sqrt{-1}', '\\sqrt{-1}+0'],
    ['1/0', '2/0'],
    ['5', 'five'],
  ] as const) {
    assert.ok(!mathEqual(a, b), `${a} ≠ ${b}`);
  }
});

test('strict reads stated answers and says when there is none', () => {
  const value = { uid: '1', answers: ['2\\sqrt{3}'], options: [] };
  const score = (text: string) => scoreReply(SCORINGS.mathvision, { text }, value);
  assert.equal(score('So \\boxed{\\sqrt{12}}.').outcome, 'correct');
  assert.equal(score('The answer is $\\sqrt{12}$.').outcome, 'correct');
  assert.equal(score('\\boxed{1} or rather \\boxed{4}').outcome, 'wrong');
  assert.equal(score(`${'We think on and on. '.repeat(9)}`).outcome, 'unparsed');
  const choice = { uid: '2', answers: ['B'], options: ['1/2', '1/3', '1/4'] };
  const letter = (text: string) => scoreReply(SCORINGS.mathvision, { text }, choice).outcome;
  assert.equal(letter('\\boxed{\\frac{1}{3}}'), 'correct');
  assert.equal(letter('The answer is (B).'), 'correct');
  assert.equal(letter('\\boxed{\\frac{1}{4}}'), 'wrong');
  const float = {
    uid: '3',
    answers: ['1.45'],
    columns: { question_type: 'free_form', answer_type: 'float', precision: '2' },
  };
  const number = (text: string) => scoreReply(SCORINGS.mathvista, { text }, float).outcome;
  assert.equal(number('Luca needs $1.449 to buy it.'), 'correct');
  assert.equal(number('Between 1.2 and 1.45.'), 'unparsed');
});

test('fuzz: random text never hangs, throws, or equals something else', () => {
  const random = createRandom('fuzz-math', 7);
  const parts = [
    ...['\\frac', '\\sqrt', '{', '}', '(', ')', '[', ']', '|', '^', '_', '!', '+', '-', '*', '/'],
    ...['1', '23', '9', '.5', 'x', 'e', '\\pi', '\\log', '\\sin', '\\boxed{', ',', '=', '%', ' '],
    ...[
      '\\text{',
      '\\left',
      '\\{',
      '\\}',
      '$',
      '\\infty',
      'is ',
      'the answer is ',
      '\n',
      '😀',
      '\\',
    ],
  ];
  const start = performance.now();
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: 1 + random.int(60) }, () => random.pick(parts)).join('');
    mathEqual(text, '7');
    mathvisionEqual(text, '7', 'math');
    scoreReply(SCORINGS.mathvision, { text }, { uid: 'f', answers: ['7'], options: [] });
    assert.equal(mathEqual(text, `${text}x`) && text.trim() !== '', false, text);
  }
  for (const heavy of [
    '(',
    '{',
    '[',
    '|',
    '-',
    '\\sqrt',
    '\\frac',
    '^',
    '9^',
    '9!',
    '!',
    '\\boxed{',
  ]) {
    for (const size of [50, 1000, 20_000]) {
      const text = heavy.repeat(size);
      mathEqual(text, '7');
      mathEqual(`7${text}`, '7');
      scoreReply(SCORINGS.mathvision, { text }, { uid: 'f', answers: ['7'], options: [] });
      scoreReply(
        SCORINGS.mathvision,
        { text },
        { uid: 'f', answers: ['7'], options: [] },
        'lmms-v0.5',
      );
    }
  }
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds < 20, `${seconds.toFixed(1)} s for 2,000 texts`);
});

test('values agree with JavaScript where both can say them', () => {
  const random = createRandom('values', 3);
  for (let round = 0; round < 300; round++) {
    const [a, b, c] = [1 + random.int(9), 1 + random.int(9), 1 + random.int(4)];
    const cases: readonly (readonly [string, number])[] = [
      [`\\frac{${a}}{${b}}-${c}`, a / b - c],
      [`${a}^{${c}}\\cdot\\sqrt{${b}}`, a ** c * Math.sqrt(b)],
      [`-${a}+${b}(${c}+1)`, -a + b * (c + 1)],
      [`\\log_{${a + 1}}{${b}}`, Math.log(b) / Math.log(a + 1)],
      [`${a}/${b}/${c}`, a / b / c],
      [`2^{${c}^2}`, 2 ** (c ** 2)],
      [`2^${c}^2`, 2 ** (c ** 2)],
    ];
    for (const [text, expected] of cases) {
      const tree = parseExpression(text);
      const found = tree === undefined ? Number.NaN : evaluate(tree, new Map());
      assert.ok(Math.abs(found - expected) <= 1e-12 * Math.abs(expected), `${text}: ${found}`);
    }
  }
});
