// Takes copies out of the clean rows: variants, equal bytes, look-alikes, like texts, like meanings. In this order;
// each step sees what the one before has left. Of several, one stays by a stated order of rows.

import { findNear, type NearFinder } from '../dedup/find-near.ts';
import { meaningFinder } from '../dedup/meanings.ts';
import { pictureFinder } from '../dedup/pictures.ts';
import type { DedupConfig } from '../dedup/settings.ts';
import { textFinder } from '../dedup/texts.ts';
import type { SurveyTable } from '../survey/survey.ts';
import {
  codeOf,
  type Decisions,
  drop,
  EXACT_DUPLICATE,
  NEAR_DUPLICATE,
  NEAR_MEANING,
  NEAR_TEXT,
  NONE,
  VARIANT,
} from './decisions.ts';

/** `parent` of each row that goes is, in the end, a row that stays after all steps. */
export async function deduplicate(
  table: SurveyTable,
  decisions: Decisions,
  config: DedupConfig,
): Promise<void> {
  const order = orderOf(config);
  await dropVariants(table, decisions);
  await dropExact(table, decisions, order);
  await dropNear(table, decisions, order, NEAR_DUPLICATE, pictureFinder(config));
  const { minTextOverlap, minCosine } = config;
  if (minTextOverlap !== null) {
    await dropNear(table, decisions, order, NEAR_TEXT, textFinder(minTextOverlap));
  }
  if (minCosine !== null) {
    await dropNear(table, decisions, order, NEAR_MEANING, meaningFinder(minCosine));
  }
  followParents(decisions);
}

/** The first row in this order stays. */
function orderOf({ keep }: DedupConfig): string {
  return keep === 'first' ? 'uid' : 'width * height DESC NULLS LAST, uid';
}

/** A variant (a skin tone of the same emoji) goes when its base has passed the filters. */
async function dropVariants(table: SurveyTable, decisions: Decisions): Promise<void> {
  const code = codeOf(decisions, VARIANT);
  const passed = decisions.clean.slice();
  const sql =
    'SELECT v.idx AS idx, b.idx AS base FROM survey v JOIN survey b ON b.uid = v.variantOf ' +
    'WHERE v.variantOf IS NOT NULL ORDER BY v.idx';
  for await (const rows of table.query(sql)) {
    for (const row of rows) {
      const [at, parent] = [row['idx'] as number, row['base'] as number];
      if (passed[at] === 1 && passed[parent] === 1) drop(decisions, at, { code, parent });
    }
  }
}

async function dropExact(table: SurveyTable, decisions: Decisions, order: string): Promise<void> {
  const code = codeOf(decisions, EXACT_DUPLICATE);
  const sql =
    'SELECT idx, identity FROM survey WHERE error IS NULL AND identity IN ' +
    '(SELECT identity FROM survey WHERE error IS NULL GROUP BY identity HAVING count(*) > 1) ' +
    `ORDER BY identity, ${order}`;
  let [identity, parent]: [unknown, number] = [undefined, NONE];
  for await (const rows of table.query(sql)) {
    for (const row of rows) {
      const at = row['idx'] as number;
      if (decisions.clean[at] !== 1) continue;
      if (row['identity'] === identity) drop(decisions, at, { code, parent, score: 0 });
      else [identity, parent] = [row['identity'], at];
    }
  }
}

async function dropNear(
  table: SurveyTable,
  decisions: Decisions,
  order: string,
  reason: string,
  finder: NearFinder,
): Promise<void> {
  const code = codeOf(decisions, reason);
  await findNear(table, finder, {
    order,
    isIn: (row) => decisions.clean[row] === 1,
    found: (row, parent, score) => drop(decisions, row, { code, parent, score }),
  });
}

/** The row that stands for another may itself have gone in a later step. */
function followParents({ parent, clean, numRows }: Decisions): void {
  for (let row = 0; row < numRows; row++) {
    let head = parent[row] as number;
    while (head !== NONE && clean[head] !== 1 && parent[head] !== NONE)
      head = parent[head] as number;
    parent[row] = head;
  }
}
