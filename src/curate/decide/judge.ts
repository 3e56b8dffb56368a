// The filters on all rows: scores against thresholds. Reads no image and no text.

import type { Filter } from '../filters/filter.ts';
import { firstRefusal } from '../filters/index.ts';
import { REPEATED_TITLE } from '../filters/text/boilerplate.ts';
import { scoreColumn } from '../survey/row.ts';
import type { SurveyTable } from '../survey/survey.ts';
import { CLEAN, codeOf, createDecisions, type Decisions, drop } from './decisions.ts';

/** Errors and refusals get their reason; all other rows are clean. */
export async function judge(
  table: SurveyTable,
  filters: readonly Filter[],
  maxTitleUses: number,
): Promise<Decisions> {
  const names = filters.map((filter) => filter.name);
  const decisions = createDecisions(table.numRows, names);
  const titles = await countTitles(table, maxTitleUses);
  const clean = codeOf(decisions, CLEAN);
  const columns = names.map((name) => `"${scoreColumn(name)}"`).join();
  const repeated = names.indexOf(REPEATED_TITLE);
  const sql = `SELECT idx, side, error IS NULL AS sound, titleKey, ${columns} FROM survey`;
  for await (const rows of table.query(sql)) {
    for (const row of rows) {
      const at = row['idx'] as number;
      decisions.side[at] = row['side'] as number;
      if (row['sound'] !== true) continue;
      const scores = names.map((name) => row[scoreColumn(name)] as number | null);
      scores[repeated] = titles.get(row['titleKey'] as bigint) ?? 1;
      decisions.sound[at] = 1;
      decisions.reason[at] = clean;
      decisions.clean[at] = 1;
      const refusing = firstRefusal(filters, scores);
      if (refusing < 0) continue;
      const score = scores[refusing];
      drop(decisions, at, { code: 1 + refusing, ...(score == null ? {} : { score }) });
    }
  }
  return decisions;
}

/** Titles that more samples of one source have than may; all others count as one. */
async function countTitles(table: SurveyTable, maxUses: number): Promise<Map<bigint, number>> {
  const uses = new Map<bigint, number>();
  const sql =
    'SELECT titleKey, count(*)::INTEGER AS uses FROM survey WHERE error IS NULL ' +
    `GROUP BY titleKey HAVING count(*) > ${maxUses}`;
  for await (const rows of table.query(sql)) {
    for (const row of rows) uses.set(row['titleKey'] as bigint, row['uses'] as number);
  }
  return uses;
}
