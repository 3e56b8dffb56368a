// Random small changes to a training picture that keep its meaning. Never used in evaluation.
// Settings and their draws are here; the pixel work is in filters.ts.

import * as z from 'zod';
import type { Random } from '../../core/hash.ts';
import type { RgbImage } from '../pixels.ts';
import { applyAffine, applyColour, blur, outline } from './filters.ts';
import { findPaper, PAPER, paintPaper } from './paper.ts';

type Colour = readonly [red: number, green: number, blue: number];

/** How strong each change is; 0 turns it off. `U(a, b)` is a uniform draw. */
export interface AugmentSettings {
  /** Angle U(−r, r) in radians. */
  readonly rotation: number;
  /** Size factor U(scaleMin, scaleMax). */
  readonly scaleMin: number;
  readonly scaleMax: number;
  /** Width grows and height shrinks by exp U(−a, a). */
  readonly aspect: number;
  /** Shift U(−s, s) of the side, in x and in y. */
  readonly shift: number;
  /** Probability of a left–right mirror. Leave 0 where left and right carry meaning. */
  readonly flip: number;
  /** Colour beside the picture: red, green, blue in 0–255, or the mean of its four corners. */
  readonly background: Colour | 'corners';
  /** Probability that white paper around the drawing becomes light: 255 · U(0.7, 1) a channel. */
  readonly tint: number;
  /** Probability that white paper around the drawing takes any colour. */
  readonly anyPaper: number;
  /** Probability of dark contours, as of a line drawing. */
  readonly outline: number;
  /** Probability of a 3 × 3 mean. */
  readonly blur: number;
  /** Distance from grey times U(1 − s, 1 + 0.6 s). */
  readonly saturation: number;
  /** Probability of no colour at all. */
  readonly grey: number;
  /** Distance from white times U(1 − c, 1 + c), so that white stays white. */
  readonly contrast: number;
  /** The same for each channel alone: U(1 − w, 1 + w). */
  readonly whiteBalance: number;
  /** Brightness by the exponent exp U(−g, g). */
  readonly gamma: number;
}

/** No change at all. */
export const NO_AUGMENT: AugmentSettings = {
  rotation: 0,
  scaleMin: 1,
  scaleMax: 1,
  aspect: 0,
  shift: 0,
  flip: 0,
  background: [255, 255, 255],
  tint: 0,
  anyPaper: 0,
  outline: 0,
  blur: 0,
  saturation: 0,
  grey: 0,
  contrast: 0,
  whiteBalance: 0,
  gamma: 0,
};

const probability = z.number().min(0).max(1).default(0);
const strength = z.number().min(0).max(1).default(0);
const byte = z.int().min(0).max(255);

/** Settings as written in a recipe: what is left out is off. */
export type AugmentInput = {
  readonly [K in keyof AugmentSettings]?: AugmentSettings[K] | undefined;
};

/** Checks settings; an unknown key is an error. */
export const augmentSchema: z.ZodType<AugmentSettings, AugmentInput> = z
  .strictObject({
    rotation: z.number().min(0).max(Math.PI).default(0),
    scaleMin: z.number().positive().default(1),
    scaleMax: z.number().positive().default(1),
    aspect: strength,
    shift: strength,
    flip: probability,
    background: z
      .union([z.tuple([byte, byte, byte]), z.literal('corners')])
      .default([255, 255, 255]),
    tint: probability,
    anyPaper: probability,
    outline: probability,
    blur: probability,
    saturation: strength,
    grey: probability,
    contrast: strength,
    whiteBalance: strength,
    gamma: strength,
  })
  .refine((s) => s.scaleMin <= s.scaleMax, { error: 'expected scaleMin ≤ scaleMax' });

/**
 * A changed copy of the picture, same size, in this order: paper, outline, affine map, blur,
 * colours. The same `random` stream gives the same bytes, and every call takes the same number of
 * draws, whatever the settings.
 */
export function augment(image: RgbImage, random: Random, settings: AugmentSettings): RgbImage {
  const draw = drawChanges(random, settings);
  const { width, height } = image;
  let behind = settings.background === 'corners' ? cornerColour(image) : settings.background;
  let source = image;
  if (draw.paper !== undefined || draw.hasOutline) {
    source = { width, height, data: new Uint8Array(image.data) };
    const kinds = findPaper(image);
    if (draw.paper !== undefined && kinds.includes(PAPER)) {
      behind = draw.paper;
      paintPaper(source.data, kinds, behind);
    }
    if (draw.hasOutline) outline(source, kinds, draw.outlineWidth, draw.outlineGain, draw.ink);
  }
  const pixels = applyAffine(source, draw.matrix, behind);
  if (draw.hasBlur) blur(pixels, image);
  const data = applyColour(pixels, draw.saturation, draw.depth, draw.gamma);
  return { width, height, data };
}

function cornerColour({ width, height, data }: RgbImage): Colour {
  const corners = [0, width - 1, (height - 1) * width, height * width - 1];
  const mean = (channel: number): number =>
    corners.reduce((sum, at) => sum + (data[3 * at + channel] as number), 0) / 4;
  return [mean(0), mean(1), mean(2)];
}

interface Changes {
  /** [xx, xy, yx, yy, x, y]: output to input, in pixels from the centre over the side. */
  readonly matrix: readonly [number, number, number, number, number, number];
  readonly paper: Colour | undefined;
  readonly hasOutline: boolean;
  readonly outlineWidth: 3 | 5;
  readonly outlineGain: number;
  readonly ink: number;
  readonly hasBlur: boolean;
  readonly saturation: number;
  /** Factor of the distance from white, for each channel. */
  readonly depth: readonly number[];
  readonly gamma: number;
}

function drawChanges(random: Random, s: AugmentSettings): Changes {
  const around = (width: number): number => random.range(-width, width);
  const happens = (p: number): boolean => random.next() < p;
  const angle = around(s.rotation);
  const zoom = 1 / random.range(s.scaleMin, s.scaleMax);
  const aspect = Math.exp(around(s.aspect));
  const mirror = happens(s.flip) ? -1 : 1;
  const cos = Math.cos(angle) * zoom;
  const sin = Math.sin(angle) * zoom;
  const x = around(s.shift);
  const y = around(s.shift);
  const paper = random.next();
  const colour = (lo: number): Colour => [
    255 * random.range(lo, 1),
    255 * random.range(lo, 1),
    255 * random.range(lo, 1),
  ];
  const any = colour(0);
  const light = colour(0.7);
  const hasOutline = happens(s.outline);
  const outlineWidth = happens(0.4) ? 5 : 3;
  const outlineGain = random.range(2, 6);
  const ink = random.range(0.6, 1);
  const hasBlur = happens(s.blur);
  const saturation = random.range(1 - s.saturation, 1 + 0.6 * s.saturation);
  const isGrey = happens(s.grey);
  const contrast = 1 + around(s.contrast);
  return {
    matrix: [cos * aspect * mirror, -sin * aspect * mirror, sin / aspect, cos / aspect, x, y],
    paper: paper < s.anyPaper ? any : paper < s.anyPaper + s.tint ? light : undefined,
    hasOutline,
    outlineWidth,
    outlineGain,
    ink,
    hasBlur,
    saturation: isGrey ? 0 : saturation,
    depth: [0, 1, 2].map(() => contrast * (1 + around(s.whiteBalance))),
    gamma: Math.exp(around(s.gamma)),
  };
}
