// Drops titles that describe the collection instead of the picture: by pattern and by frequency.
import { atMost, type Filter } from '../filter.ts';

/** Patterns found in the embedded corpus. */
export const BOILERPLATE_PATTERNS: readonly string[] = [
  'part of the flat icon',
  'lemon svg theme',
  'gramastar',
  '^clipart by',
  'etiquette icons',
  'svg road signs',
  '^untitled',
  '^unnamed',
  '^card$',
  '^$',
];

/** Score: 1 when the title matches a pattern, else 0. */
export function boilerplate(patterns: readonly string[]): Filter {
  const matchers = patterns.map((pattern) => new RegExp(pattern, 'i'));
  return atMost('boilerplate', 0, ({ title }) =>
    matchers.some((matcher) => matcher.test(title.trim())) ? 1 : 0,
  );
}

/**
 * Score: samples of the source with this title. One sample does not know it: the survey leaves it
 * open, and it is filled in when all titles are counted.
 */
export function repeatedTitle(maxUses: number): Filter {
  return atMost(REPEATED_TITLE, maxUses, () => null);
}

export const REPEATED_TITLE = 'repeated-title';
