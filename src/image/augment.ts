// Random small changes to a training picture that keep its meaning. Never used in evaluation.
// Settings and their draws are here; the pixel work is in augment-filters.ts.

import * as z from 'zod';
import type { Random } from '../core/hash.ts';
import { applyAffine, applyColour, blur, outline } from './augment-filters.ts';
import type { RgbImage } from './decode.ts';

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
  /** Colour behind the picture, red, green, blue, 0–255. */
  readonly background: readonly [number, number, number];
  /** Probability of a light paper: every channel times U(0.7, 1). */
  readonly tint: number;
  /** Probability of darkened contours, as of a line drawing. */
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
    background: z.tuple([byte, byte, byte]).default([255, 255, 255]),
    tint: probability,
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
 * A changed copy of the picture, same size. The same `random` stream gives the same bytes, and
 * every call takes the same number of draws, whatever the settings.
 */
export function augment(image: RgbImage, random: Random, settings: AugmentSettings): RgbImage {
  const draw = drawChanges(random, settings);
  const pixels = applyAffine(image, draw.matrix, settings.background);
  if (draw.outline) outline(pixels, image, draw.outlineWidth, draw.outlineGain, draw.outlineInk);
  if (draw.blur) blur(pixels, image);
  const data = applyColour(pixels, draw.tint, draw.saturation, draw.depth, draw.gamma);
  return { width: image.width, height: image.height, data };
}

interface Changes {
  /** [xx, xy, yx, yy, x, y]: output to input, in pixels from the centre over the side. */
  readonly matrix: readonly [number, number, number, number, number, number];
  readonly outline: boolean;
  readonly outlineWidth: 3 | 5;
  readonly outlineGain: number;
  readonly outlineInk: number;
  readonly blur: boolean;
  readonly tint: readonly number[];
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
  const isTinted = happens(s.tint);
  const tint = [0, 1, 2].map(() => random.range(0.7, 1));
  const hasOutline = happens(s.outline);
  const outlineWidth = happens(0.4) ? 5 : 3;
  const outlineGain = random.range(2, 6);
  const outlineInk = random.range(0.6, 1);
  const isBlurred = happens(s.blur);
  const saturation = random.range(1 - s.saturation, 1 + 0.6 * s.saturation);
  const isGrey = happens(s.grey);
  const contrast = 1 + around(s.contrast);
  return {
    matrix: [cos * aspect * mirror, -sin * aspect * mirror, sin / aspect, cos / aspect, x, y],
    outline: hasOutline,
    outlineWidth,
    outlineGain,
    outlineInk,
    blur: isBlurred,
    tint: isTinted ? tint : [1, 1, 1],
    saturation: isGrey ? 0 : saturation,
    depth: [0, 1, 2].map(() => contrast * (1 + around(s.whiteBalance))),
    gamma: Math.exp(around(s.gamma)),
  };
}
