// The weights of a bicubic resize along one axis, in fixed point. Not the loops that use them.

/** For one axis: which source pixels each target pixel is made of, and with what weights. */
export interface Axis {
  readonly size: number;
  /** [size] first source pixel. */
  readonly first: Int32Array;
  /** [size] how many source pixels. */
  readonly count: Int32Array;
  /** [size · stride] weights of `FRACTION_BITS`, `count` used of each `stride`. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** 32 bits less 8 of the pixel, one for the sign and one for weights above 1. */
export const FRACTION_BITS = 22;
/** The cubic kernel is zero from here on. */
const KERNEL_RADIUS = 2;

/**
 * Plan `from` pixels to `to`. When shrinking, the kernel is as much wider as the picture gets
 * smaller; at the border it is cut and what is left is made to sum to 1.
 */
export function planAxis(from: number, to: number): Axis {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const radius = KERNEL_RADIUS * stretch;
  const stride = 2 * Math.ceil(radius) + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - radius + 0.5));
    const end = Math.min(from, Math.trunc(centre + radius + 0.5));
    const values: number[] = [];
    for (let j = start; j < end; j++) values.push(cubic((j - centre + 0.5) * (1 / stretch)));
    const sum = values.reduce((total, value) => total + value, 0);
    first[i] = start;
    count[i] = values.length;
    for (const [j, value] of values.entries()) weights[i * stride + j] = toFixed(value / sum);
  }
  return { size: to, first, count, weights, stride };
}

/** Keys' cubic with a = −1/2. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** Nearest integer, halves away from zero. */
function toFixed(weight: number): number {
  const scaled = weight * (1 << FRACTION_BITS);
  return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}
