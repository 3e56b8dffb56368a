// Second step: from the rows of the survey to one decision for each. Reads no image.
import type { CurateConfig } from '../config.ts';
import { createFilters } from '../filters/index.ts';
import type { SurveyTable } from '../survey/survey.ts';
import type { Decisions } from './decisions.ts';
import { deduplicate } from './deduplicate.ts';
import { type ConceptCounts, draw } from './draw.ts';
import { judge } from './judge.ts';

/** Filters, then duplicates, then (training side only) balancing. */
export async function decide(
  table: SurveyTable,
  config: CurateConfig,
): Promise<{ readonly decisions: Decisions; readonly concepts: ConceptCounts }> {
  const decisions = await judge(table, createFilters(config.filters), config.filters.maxTitleUses);
  await deduplicate(table, decisions, config.dedup);
  const concepts = await draw(table, decisions, config);
  return { decisions, concepts };
}
