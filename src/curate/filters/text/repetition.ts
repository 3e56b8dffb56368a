// Drops captions that say one word over and over.
import { atMost, type Filter } from '../filter.ts';

/** Score: longest run of one word. */
export function repetition(maxRun: number): Filter {
  return atMost('repetition', maxRun, ({ caption }) => longestRun(caption));
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
