// Drops captions that say one word over and over.
import type { Filter } from './filter.ts';

/** Score: longest run of one word. */
export function repetition(maxRun: number): Filter {
  return {
    name: 'repetition',
    score: ({ caption }) => longestRun(caption),
    accepts: (run) => run <= maxRun,
  };
}

function longestRun(text: string): number {
  let longest = 0;
  let run = 0;
  let previous = '';
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    run = word === previous ? run + 1 : 1;
    previous = word;
    longest = Math.max(longest, run);
  }
  return longest;
}
