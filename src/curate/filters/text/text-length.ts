// Drops captions that say nothing, and those far too long to be one.
import type { Filter } from '../filter.ts';

/** Score: characters of the caption; 0 when it has no letter at all. */
export function textLength(minChars: number, maxChars: number): Filter {
  return {
    name: 'text-length',
    limit: `${minChars}–${maxChars}`,
    score: ({ caption, title }) => {
      const text = caption.trim();
      return /\p{L}|\p{N}/u.test(title) ? [...text].length : 0;
    },
    accepts: (length) => length >= minChars && length <= maxChars,
  };
}
