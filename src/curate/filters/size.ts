// Drops images that are too small or too long to show anything.
import type { Filter } from './filter.ts';

/** Score: the shorter side in pixels. */
export function tooSmall(minSide: number): Filter {
  return {
    name: 'too-small',
    score: ({ width, height }) => Math.min(width, height),
    accepts: (side) => side >= minSide,
  };
}

/** Score: longer side divided by shorter side. */
export function tooLong(maxRatio: number): Filter {
  return {
    name: 'too-long',
    score: ({ width, height }) => Math.max(width, height) / Math.max(1, Math.min(width, height)),
    accepts: (ratio) => ratio <= maxRatio,
  };
}
