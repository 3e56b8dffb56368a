// The filters of a recipe, in the order in which they judge. The first that refuses is the reason.
import type { EvaluationIndex } from '../survey/evaluation-index.ts';
import { agreement } from './agreement.ts';
import { contaminatedImage, contaminatedText } from './contamination.ts';
import { excluded } from './excluded.ts';
import type { Filter } from './filter.ts';
import { hook } from './hooks.ts';
import { aesthetics } from './picture/aesthetics.ts';
import { black, blank } from './picture/blank.ts';
import { tooLong, tooSmall } from './picture/size.ts';
import { watermark } from './picture/watermark.ts';
import type { FilterConfig } from './settings.ts';
import { boilerplate, repeatedTitle } from './text/boilerplate.ts';
import { language } from './text/language.ts';
import { mojibake } from './text/mojibake.ts';
import { refusal } from './text/refusal.ts';
import { repetition } from './text/repetition.ts';
import { textLength } from './text/text-length.ts';

/**
 * The filters that the settings ask for.
 * @param evaluation what evaluation sets contain; needed for scores only, not for verdicts.
 */
export function createFilters(
  config: FilterConfig,
  evaluation: EvaluationIndex | null = null,
): Filter[] {
  return [
    tooSmall(config.minSide),
    tooLong(config.maxRatio),
    blank(config.minSpread),
    black(config.maxDark),
    excluded(config.exclude),
    boilerplate(config.boilerplate),
    repeatedTitle(config.maxTitleUses),
    textLength(config.minChars, config.maxChars),
    mojibake(),
    repetition(config.maxWordRun),
    refusal(),
    language(config.languages, config.maxLanguageLead),
    watermark(config.maxWatermark),
    aesthetics(config.minAesthetics),
    agreement(config.minAgreement),
    contaminatedImage(evaluation, config.maxEvaluationHamming),
    contaminatedText(evaluation),
    ...config.hooks.map(hook),
  ];
}

/** The first filter that refuses, as its index; −1 when all accept. A null score is accepted. */
export function firstRefusal(
  filters: readonly Filter[],
  scores: readonly (number | null)[],
): number {
  return filters.findIndex((filter, i) => {
    const score = scores[i] ?? null;
    return score !== null && !filter.accepts(score);
  });
}
