// Drops images that show nothing: of one colour (failed renders, empty definitions), or all but black.
import { atMost, type Filter } from '../filter.ts';

/** Score: largest difference of any channel within the image, 0–255. */
export function blank(minSpread: number): Filter {
  return {
    name: 'blank',
    limit: `> ${minSpread}`,
    score: ({ look }) => look?.spread ?? null,
    accepts: (spread) => spread > minSpread,
  };
}

/** Score: share of the pixels that are black to the eye. */
export function black(maxDark: number): Filter {
  return atMost('black', maxDark, ({ look }) => look?.dark ?? null);
}
