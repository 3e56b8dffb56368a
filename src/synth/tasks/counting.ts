// One to six real pictures on a canvas, all alike or mixed, never overlapping.
import { createRandom, type Random } from '../../core/hash.ts';
import type { RgbImage } from '../../image/pixels.ts';
import { type Box, createCanvas, paste, resizeSprite } from '../draw/canvas.ts';
import { type ColourName, pickPaper, shadeOf } from '../draw/palette.ts';
import {
  COUNT_QUESTION,
  conversation,
  PAPER_QUESTION,
  PLACE_QUESTION,
  type Turn,
} from '../phrases.ts';
import type { Subject, Task } from '../task.ts';
import { mostlyInOrder } from './numbers.ts';

export interface CountingSettings {
  readonly min: number;
  readonly max: number;
  /** Chance that the pictures differ; else one picture is repeated. */
  readonly mixed: number;
  /** Also ask for the colour of the paper and, of a single picture, for its place. */
  readonly extras: boolean;
}

export const COUNTING_DEFAULTS: CountingSettings = { min: 1, max: 6, mixed: 0.5, extras: false };

export const counting: Task<CountingSettings> = {
  name: 'counting',
  generate({ seed, set, size, subjects, settings }, index) {
    const random = createRandom('counting', set, seed, index);
    const drawn = drawPictures(random, size, subjects.items, settings);
    const answer = String(drawn.shown.length);
    const turns: Turn[] = [[COUNT_QUESTION, answer]];
    if (settings.extras) turns.push(...random.shuffle(extraTurns(drawn, size)));
    return {
      image: drawn.image,
      group: `${set}:${index}`,
      messages: conversation(mostlyInOrder(random, turns)),
      meta: { task: 'counting', answer, mixed: drawn.mixed, composed: true },
    };
  },
};

function extraTurns({ paper, boxes }: DrawnPictures, size: number): Turn[] {
  const turns: Turn[] = [[PAPER_QUESTION, paper]];
  const [only] = boxes;
  const corner = only && boxes.length === 1 ? cornerOf(only, size) : undefined;
  if (corner !== undefined) turns.push([PLACE_QUESTION, corner]);
  return turns;
}

/**
 * `top left`, `bottom right`, … : the quarter of the canvas that holds the middle of a box;
 * none when the middle is nearer than 10 of 84 pixels to a centre line.
 */
export function cornerOf({ left, top, side }: Box, size: number): string | undefined {
  const right = left + side / 2 - size / 2;
  const down = top + side / 2 - size / 2;
  if (Math.min(Math.abs(right), Math.abs(down)) <= (10 * size) / DESIGN_SIDE) return undefined;
  return `${down < 0 ? 'top' : 'bottom'} ${right < 0 ? 'left' : 'right'}`;
}

/** A canvas with pictures, and what is true of it. */
export interface DrawnPictures {
  readonly image: RgbImage;
  readonly shown: readonly Subject[];
  /** Where each of them lies. */
  readonly boxes: readonly Box[];
  readonly mixed: boolean;
  readonly paper: ColourName;
}

/** Lengths are pixels of a canvas of this side; other canvases scale. */
const DESIGN_SIDE = 84;
/** Sides of a pasted picture on a canvas of 84 pixels; more pictures leave out the large ones. */
const SIDES = [18, 20, 22, 24, 26] as const;

/** Draws pictures on paper. All that is random comes from `random`. */
export function drawPictures(
  random: Random,
  size: number,
  pool: readonly Subject[],
  settings: CountingSettings,
): DrawnPictures {
  const least = Math.min(settings.min, settings.max);
  const count = least + random.int(settings.max - least + 1);
  const mixed = random.next() < settings.mixed;
  const boxes = placeApart(random, size, pickSides(random, count, size));
  const paper = pickPaper(random);
  const image = createCanvas(size, shadeOf(paper, random, 8));
  const only = random.pick(pool);
  const shown = boxes.map((box) => {
    const subject = mixed ? random.pick(pool) : only;
    paste(image, resizeSprite(subject.sprite, box.side), box.left, box.top);
    return subject;
  });
  return { image, shown, boxes, mixed, paper };
}

function pickSides(random: Random, count: number, size: number): number[] {
  const fitting = SIDES.slice(0, count < 5 ? 5 : count === 5 ? 4 : 3);
  const base = random.pick(fitting);
  const near = SIDES.filter((side) => Math.abs(side - base) <= 2);
  return Array.from({ length: count }, () => {
    const side = random.next() < 0.5 ? base : random.pick(near);
    return Math.round((side * size) / DESIGN_SIDE);
  });
}

/**
 * Places squares so that none overlaps another: random places, a fresh start when one does not
 * fit, and after 200 starts every side a tenth smaller, so it always ends.
 */
export function placeApart(random: Random, size: number, sides: readonly number[]): Box[] {
  for (let start = 0; ; start++) {
    const shrunk = 0.9 ** Math.floor(start / 200);
    const boxes: Box[] = [];
    for (const side of sides) {
      const box = tryPlace(random, size, Math.max(1, Math.floor(side * shrunk)), boxes);
      if (box === undefined) break;
      boxes.push(box);
    }
    if (boxes.length === sides.length) return boxes;
  }
}

function tryPlace(random: Random, size: number, side: number, taken: Box[]): Box | undefined {
  for (let tries = 0; tries < 30; tries++) {
    const box = { left: random.int(size - side + 1), top: random.int(size - side + 1), side };
    if (!taken.some((other) => overlap(box, other))) return box;
  }
  return undefined;
}

function overlap(a: Box, b: Box): boolean {
  const apart =
    a.left + a.side <= b.left ||
    b.left + b.side <= a.left ||
    a.top + a.side <= b.top ||
    b.top + b.side <= a.top;
  return !apart;
}
