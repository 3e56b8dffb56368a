// Drops captions that are clearly in another language than the wanted ones.
import { atMost, type Filter } from '../filter.ts';

/**
 * Score: by how much the best other language fits the caption better than the best wanted one
 * (`eld`, 0–1); 0 when a wanted one is ahead. Null where no language is wanted more than another,
 * and for texts that fit none. Short captions are hard: leave a margin.
 */
export function language(wanted: readonly string[], maxLead: number): Filter {
  return atMost('language', maxLead, ({ languages }) => {
    if (wanted.length === 0 || Object.keys(languages).length === 0) return null;
    let best = 0;
    let other = 0;
    for (const [code, score] of Object.entries(languages)) {
      if (wanted.includes(code)) best = Math.max(best, score);
      else other = Math.max(other, score);
    }
    return Math.max(0, other - best);
  });
}
