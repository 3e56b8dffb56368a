// Every task: the answer is what the picture shows, and the same index gives the same draft.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RgbImage } from '../../image/pixels.ts';
import type { Draft, Subject } from '../task.ts';
import { contextOf, countBlobs, discSubject } from '../testing.ts';
import * as tasks from './index.ts';

const grey: Subject[] = ['dog', 'cat', 'fox', 'owl', 'elk', 'bee'].map((name, index) =>
  discSubject(name, [125, 125, 125], index < 3 ? 'mammal' : undefined),
);
const canvasOf = ({ image }: Draft): RgbImage => {
  assert.ok('data' in image);
  return image;
};
const answerOf = ({ messages }: Draft): string => messages.at(-1)?.content ?? '';
const range = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

test('counting: the number of blobs is the answer', () => {
  const context = contextOf(grey, tasks.COUNTING_DEFAULTS);
  const seen = new Set<string>();
  for (const index of range(120)) {
    const draft = tasks.counting.generate(context, index);
    // Above the noise of paste rounding, below the contrast of grey on any paper.
    assert.equal(String(countBlobs(canvasOf(draft), 8)), draft.meta['answer'], `index ${index}`);
    assert.equal(answerOf(draft), draft.meta['answer']);
    seen.add(answerOf(draft));
  }
  assert.deepEqual([...seen].sort(), ['1', '2', '3', '4', '5', '6']);
});

test('counting: six of the largest still fit, and the extras name the place of one picture', () => {
  const six = contextOf(grey, { ...tasks.COUNTING_DEFAULTS, min: 6, max: 6 });
  for (const index of range(40)) {
    assert.equal(answerOf(tasks.counting.generate(six, index)), '6');
  }
  const one = contextOf(grey, { ...tasks.COUNTING_DEFAULTS, max: 1, extras: true });
  const asked = range(40).flatMap((index) => tasks.counting.generate(one, index).messages);
  assert.ok(asked.some((message) => /^(top|bottom) (left|right)$/.test(message.content)));
});

test('numbers: the digits shown are the digits of the answer', () => {
  for (const jitter of [0, 1]) {
    const context = contextOf(grey, { ...tasks.NUMBERS_DEFAULTS, jitter });
    for (const index of range(60)) {
      const draft = tasks.numbers.generate(context, index);
      const text = answerOf(draft);
      assert.match(text, /^(\d|[1-9]\d{1,2})$/);
      const dots = [...text].reduce((sum, digit) => sum + Number(digit), 0);
      assert.equal(countBlobs(canvasOf(draft), 24), dots, `${text} at ${index}, jitter ${jitter}`);
    }
  }
});

test('numbers: digits stand in reading order, and the curriculum is kept', () => {
  const context = contextOf(grey, { lengths: [0, 1, 0] as const, jitter: 0, colours: false });
  for (const index of range(40)) {
    const draft = tasks.numbers.generate(context, index);
    const { width, height, data } = canvasOf(draft);
    const left: RgbImage = { width: width / 2, height, data: new Uint8Array(data.length / 2) };
    for (let y = 0; y < height; y++) {
      left.data.set(data.subarray(3 * width * y, 3 * width * y + 1.5 * width), 1.5 * width * y);
    }
    assert.equal(countBlobs(left, 24), Number(answerOf(draft)[0]));
  }
});

test('grid: each cell shows the digit that the answer has in its place', () => {
  const context = contextOf(grey, { side: 3, jitter: 0 });
  for (const index of range(20)) {
    const draft = tasks.grid.generate(context, index);
    const { width, data } = canvasOf(draft);
    const cell = width / 3;
    const answer = answerOf(draft);
    assert.match(answer, /^\d{9}$/);
    for (const [place, digit] of [...answer].entries()) {
      const part: RgbImage = { width: cell, height: cell, data: new Uint8Array(3 * cell * cell) };
      for (let y = 0; y < cell; y++) {
        const start = 3 * ((Math.floor(place / 3) * cell + y) * width + (place % 3) * cell);
        part.data.set(data.subarray(start, start + 3 * cell), 3 * y * cell);
      }
      assert.equal(countBlobs(part, 24), Number(digit), `${answer} at ${place}`);
    }
  }
});

test('colour: the paper answer is the nearest named colour of the first pixel', async () => {
  const { COLOURS } = await import('../draw/palette.ts');
  const context = contextOf(grey, { digits: 0 });
  for (const index of range(40)) {
    const draft = tasks.colour.generate(context, index);
    const { data } = canvasOf(draft);
    const distance = (name: keyof typeof COLOURS): number =>
      Math.hypot(...COLOURS[name].map((value, c) => value - (data[c] ?? 0)));
    const names = Object.keys(COLOURS) as (keyof typeof COLOURS)[];
    const nearest = names.reduce((a, b) => (distance(a) <= distance(b) ? a : b));
    assert.equal(answerOf(draft), nearest);
  }
});

/** Middle of the pixels that are near a colour. */
function centreOf({ width, data }: RgbImage, colour: readonly number[]): [number, number] {
  let [x, y, n] = [0, 0, 0];
  for (let i = 0; i < data.length / 3; i++) {
    if (colour.some((value, c) => Math.abs(value - (data[3 * i + c] ?? 0)) > 6)) continue;
    x += i % width;
    y += Math.floor(i / width);
    n += 1;
  }
  return [x / n, y / n];
}

test('position and relation: the words agree with where the pictures lie', () => {
  const first = discSubject('teal disc', [0, 128, 128]);
  const second = discSubject('grey disc', [125, 125, 125]);
  const corners = contextOf([first], {});
  const pair = contextOf([first, second], tasks.RELATION_DEFAULTS);
  for (const index of range(40)) {
    const corner = tasks.position.generate(corners, index);
    const [cornerX, cornerY] = centreOf(canvasOf(corner), [0, 128, 128]);
    const words = `${cornerY < 42 ? 'top' : 'bottom'} ${cornerX < 42 ? 'left' : 'right'}`;
    assert.equal(answerOf(corner), words);
    const draft = tasks.relation.generate(pair, index);
    const teal = centreOf(canvasOf(draft), [0, 128, 128]);
    const other = centreOf(canvasOf(draft), [125, 125, 125]);
    const isTealAsked = draft.messages[0]?.content.includes('Where is teal disc') === true;
    const [asked, from] = isTealAsked ? [teal, other] : [other, teal];
    const [dx, dy] = [asked[0] - from[0], asked[1] - from[1]];
    const across = dx < 0 ? 'left' : 'right';
    const word = Math.abs(dx) > Math.abs(dy) ? across : dy < 0 ? 'above' : 'below';
    assert.equal(answerOf(draft), word);
  }
});

test('caption: each answer belongs to its question', () => {
  const context = contextOf(grey, { ...tasks.CAPTION_DEFAULTS, yesNo: 1 });
  const answers = new Set<string>();
  for (const index of range(60)) {
    const { messages, meta } = tasks.caption.generate(context, index);
    const name = String(meta['answer']);
    assert.ok(messages[0]?.content.startsWith('<image>'));
    for (let turn = 0; turn < messages.length; turn += 2) {
      const question = messages[turn]?.content.replace('<image>', '') ?? '';
      const answer = messages[turn + 1]?.content ?? '';
      if (question === 'What is this?') assert.equal(answer, name);
      if (question.startsWith('Is this')) {
        assert.equal(answer, question === `Is this ${name}?` ? 'yes' : 'no');
        answers.add(answer);
      }
      if (question === 'Describe the image.') assert.ok(answer.includes(name));
    }
  }
  assert.deepEqual([...answers].sort(), ['no', 'yes']);
});

test('choice: the answer once among different options of the pool', () => {
  const context = contextOf(grey, tasks.CHOICE_DEFAULTS);
  const places = new Set<number>();
  for (const index of range(60)) {
    const { meta } = tasks.choice.generate(context, index);
    const options = meta['options'];
    assert.ok(Array.isArray(options));
    assert.equal(new Set(options).size, 4);
    places.add(options.indexOf(meta['answer']));
  }
  assert.deepEqual([...places].sort(), [0, 1, 2, 3]);
  assert.throws(
    () => tasks.choice.generate(contextOf(grey.slice(0, 2), tasks.CHOICE_DEFAULTS), 0),
    /expected 3 labels beside/,
  );
});

test('the same index gives the same draft, another one another', () => {
  const context = contextOf(grey, tasks.COUNTING_DEFAULTS);
  const again = contextOf(grey, tasks.COUNTING_DEFAULTS);
  assert.deepEqual(tasks.counting.generate(context, 7), tasks.counting.generate(again, 7));
  assert.notDeepEqual(tasks.counting.generate(context, 7), tasks.counting.generate(again, 8));
});
