// A page of handwritten digits in rows, read aloud: several exact answers from one picture, so that
// reading is learned before numbers are.
import { createRandom } from '../../core/hash.ts';
import { createCanvas, layInk, stamp } from '../draw/canvas.ts';
import { pickInkAndPaper, shadeOf } from '../draw/palette.ts';
import { conversation, GRID_QUESTION } from '../phrases.ts';
import type { Task } from '../task.ts';

export interface GridSettings {
  /** Digits in a row, and rows. Digits keep their size: the fewer, the more they move. */
  readonly side: number;
  /** 0: each digit in the middle of its cell; 1: anywhere in it, turned and scaled. */
  readonly jitter: number;
}

export const GRID_DEFAULTS: GridSettings = { side: 3, jitter: 1 };

/** Side of a digit of the source, in pixels; a third of the canvas when drawn. */
const DIGIT_SIDE = 28;

export const grid: Task<GridSettings> = {
  name: 'grid',
  generate({ seed, set, size, digits, settings }, index) {
    const random = createRandom('grid', set, seed, index);
    const { side, jitter } = settings;
    const around = (reach: number): number => random.range(-reach, reach) * jitter;
    const cell = size / side;
    const drawn = size / 3;
    const reach = (cell - drawn) / 2 + 0.1 * drawn;
    const mask = new Uint8Array(size * size);
    let answer = '';
    for (let place = 0; place < side * side; place += 1) {
      const digit = random.int(10);
      answer += digit;
      stamp(mask, size, random.pick(digits[digit] ?? []), DIGIT_SIDE, {
        size: drawn * (1 + around(0.12)),
        centreX: ((place % side) + 0.5) * cell + around(reach),
        centreY: (Math.floor(place / side) + 0.5) * cell + around(reach),
        angle: around(0.15),
      });
    }
    const { ink, paper } = pickInkAndPaper(random);
    const image = createCanvas(size, shadeOf(paper, random, 8));
    layInk(image, mask, shadeOf(ink, random, 10));
    return {
      image,
      group: `${set}:${index}`,
      messages: conversation([[GRID_QUESTION, answer]]),
      meta: { task: 'grid', answer, composed: true },
    };
  },
};
