// Handwritten numbers of real digits side by side. `lengths` and `jitter` make the curriculum.
import { createRandom, type Random } from '../../core/hash.ts';
import type { RgbImage } from '../../image/pixels.ts';
import { createCanvas, layInk, stamp } from '../draw/canvas.ts';
import { type ColourName, pickInkAndPaper, shadeOf } from '../draw/palette.ts';
import {
  conversation,
  INK_QUESTION,
  NUMBER_QUESTION,
  PAPER_QUESTION,
  type Turn,
} from '../phrases.ts';
import type { Digits, Task } from '../task.ts';

export interface NumbersSettings {
  /** Weights of numbers with one, two and three digits. */
  readonly lengths: readonly [number, number, number];
  /** 0: digits on a line in the middle; 1: moved, turned and scaled as in the held-out set. */
  readonly jitter: number;
  /** Also ask for the colours of the digits and of the paper. */
  readonly colours: boolean;
}

export const NUMBERS_DEFAULTS: NumbersSettings = {
  lengths: [1, 1, 1],
  jitter: 1,
  colours: false,
};

export const numbers: Task<NumbersSettings> = {
  name: 'numbers',
  generate({ seed, set, size, digits, settings }, index) {
    const random = createRandom('numbers', set, seed, index);
    const drawn = drawNumber(random, size, digits, settings);
    const turns: Turn[] = [[NUMBER_QUESTION, drawn.text]];
    if (settings.colours) turns.push([INK_QUESTION, drawn.ink], [PAPER_QUESTION, drawn.paper]);
    return {
      image: drawn.image,
      group: `${set}:${index}`,
      messages: conversation(mostlyInOrder(random, turns)),
      meta: { task: 'numbers', answer: drawn.text, composed: true },
    };
  },
};

/** The main question first in seven of ten samples, any order in the rest. */
export function mostlyInOrder(random: Random, turns: readonly Turn[]): readonly Turn[] {
  return random.next() < 0.3 ? random.shuffle(turns) : turns;
}

/** A number on coloured paper, and what is true of it. */
export interface DrawnNumber {
  readonly image: RgbImage;
  /** Its digits; no leading zero unless it is the only one. */
  readonly text: string;
  readonly ink: ColourName;
  readonly paper: ColourName;
}

/** Lengths below are pixels of a canvas of this side; other canvases scale. */
const DESIGN_SIDE = 84;
const DIGIT_SIDE = 28;

/** Draws a number. All that is random comes from `random`. */
export function drawNumber(
  random: Random,
  size: number,
  digits: Digits,
  { lengths, jitter }: NumbersSettings,
): DrawnNumber {
  const text = pickNumber(random, lengths);
  const unit = size / DESIGN_SIDE;
  const around = (reach: number): number => random.range(-reach, reach) * jitter;
  const pitch = 26 - random.next() * 4 * jitter;
  const free = Math.max(0, (DESIGN_SIDE - pitch * text.length - 4) / 2);
  const centreX = DESIGN_SIDE / 2 + around(free);
  const centreY = DESIGN_SIDE / 2 + around(18);
  const mask = new Uint8Array(size * size);
  [...text].forEach((digit, place) => {
    const grey = random.pick(digits[Number(digit)] ?? []);
    stamp(mask, size, grey, DIGIT_SIDE, {
      size: DIGIT_SIDE * (1 + around(0.12)) * unit,
      centreX: (centreX + (place - (text.length - 1) / 2) * pitch + around(1.5)) * unit,
      centreY: (centreY + around(3)) * unit,
      angle: around(0.15),
    });
  });
  const { ink, paper } = pickInkAndPaper(random);
  const image = createCanvas(size, shadeOf(paper, random, 8));
  layInk(image, mask, shadeOf(ink, random, 10));
  return { image, text, ink, paper };
}

function pickNumber(random: Random, lengths: NumbersSettings['lengths']): string {
  let left = random.next() * lengths.reduce((sum, weight) => sum + weight, 0);
  const drawn = lengths.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  const length = Math.max(0, drawn) + 1;
  const first = length > 1 ? 1 + random.int(9) : random.int(10);
  const rest = Array.from({ length: length - 1 }, () => random.int(10));
  return [first, ...rest].join('');
}
