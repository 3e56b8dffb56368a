// The named colours of composed pictures, and which of them can be told apart on each other.
import type { Random } from '../../core/hash.ts';

/** Red, green, blue, each 0–255. */
export type Rgb = readonly [number, number, number];

export type ColourName =
  | 'red'
  | 'green'
  | 'blue'
  | 'yellow'
  | 'purple'
  | 'orange'
  | 'pink'
  | 'brown'
  | 'black'
  | 'white';

export const COLOURS: Readonly<Record<ColourName, Rgb>> = {
  red: [217, 31, 31],
  green: [26, 153, 38],
  blue: [26, 64, 217],
  yellow: [242, 217, 26],
  purple: [128, 31, 166],
  orange: [250, 140, 13],
  pink: [250, 140, 191],
  brown: [115, 69, 26],
  black: [13, 13, 13],
  white: [247, 247, 247],
};

const DARK = ['red', 'green', 'blue', 'purple', 'black', 'brown'] as const;
const LIGHT = ['white', 'yellow', 'pink', 'orange'] as const;
const COLOURED_PAPER = ['yellow', 'pink', 'black', 'blue', 'green', 'red'] as const;

/** A colour by name, a little off, as print is: normal noise with this standard deviation. */
export function shadeOf(name: ColourName, random: Random, spread: number): Rgb {
  const [red, green, blue] = COLOURS[name];
  const noisy = (value: number): number =>
    Math.round(Math.min(255, Math.max(0, value + spread * random.normal())));
  return [noisy(red), noisy(green), noisy(blue)];
}

/** Two colours that contrast: usually dark ink on light paper, mostly white. */
export function pickInkAndPaper(random: Random): { ink: ColourName; paper: ColourName } {
  if (random.next() >= 0.75) return { ink: random.pick(LIGHT), paper: random.pick(DARK) };
  const paper = random.next() < 0.5 ? 'white' : random.pick(LIGHT);
  return { ink: random.pick(DARK), paper };
}

/** The background under pasted pictures: white five times of eleven, else one of six colours. */
export function pickPaper(random: Random): ColourName {
  return random.next() < 5 / 11 ? 'white' : random.pick(COLOURED_PAPER);
}
