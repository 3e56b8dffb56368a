// Drops images of one colour: failed renders, empty definitions, black frames.
import type { Filter } from './filter.ts';

/** Score: largest difference of any channel within the image, 0–255. */
export function blank(minSpread: number): Filter {
  return {
    name: 'blank',
    score: ({ spread }) => spread,
    accepts: (spread) => spread > minSpread,
  };
}
