// The filters of a recipe, in the order in which they judge. The first that refuses is the reason.
import type { FilterConfig } from '../config.ts';
import { blank } from './blank.ts';
import { boilerplate, repeatedTitle } from './boilerplate.ts';
import { excluded } from './excluded.ts';
import type { Facts, Filter } from './filter.ts';
import { mojibake } from './mojibake.ts';
import { refusal } from './refusal.ts';
import { repetition } from './repetition.ts';
import { tooLong, tooSmall } from './size.ts';
import { textLength } from './text-length.ts';

/** Build the filters that the settings ask for. */
export function createFilters(config: FilterConfig): Filter[] {
  return [
    tooSmall(config.minSide),
    tooLong(config.maxRatio),
    blank(config.minSpread),
    excluded(config.exclude),
    boilerplate(config.boilerplate),
    repeatedTitle(config.maxTitleUses),
    textLength(config.minChars, config.maxChars),
    mojibake(),
    repetition(config.maxWordRun),
    refusal(),
  ];
}

/** The first filter that refuses, with its score; undefined when all accept. */
export function judge(
  filters: readonly Filter[],
  facts: Facts,
): { readonly reason: string; readonly score: number } | undefined {
  for (const filter of filters) {
    const score = filter.score(facts);
    if (!filter.accepts(score)) return { reason: filter.name, score };
  }
  return undefined;
}
