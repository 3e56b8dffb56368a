// Balances the clean training rows by concept, and counts concepts before and after. Four passes
// over the concept column; memory for the concepts, and 8 bytes a row for the draw.
import { createCensus } from '../balance/census.ts';
import { createPlanner, type ExpectedSize } from '../balance/plan.ts';
import { coinOf, type RowBatch } from '../balance/rows.ts';
import type { CurateConfig } from '../config.ts';
import type { SurveyTable } from '../survey/survey.ts';
import { codeOf, type Decisions, DRAWN, isTraining, NOT_DRAWN } from './decisions.ts';

/** Training samples that carry each concept. */
export interface ConceptCounts {
  readonly names: readonly string[];
  /** [names] as they came, after filters and deduplication, as drawn. */
  readonly raw: Uint32Array;
  readonly clean: Uint32Array;
  readonly balanced: Uint32Array;
  /** Sizes that the rule predicted before the draw. */
  readonly expected: ExpectedSize;
}

/** A batch that knows which rows it is made of. */
interface NumberedBatch extends RowBatch {
  readonly rows: Int32Array;
}

export async function draw(
  table: SurveyTable,
  decisions: Decisions,
  config: CurateConfig,
): Promise<ConceptCounts> {
  const names = await conceptNames(table);
  const raw = new Uint32Array(names.length);
  for await (const batch of batches(table, names, (row) => isTraining(decisions, row))) {
    count(batch, raw, () => 1);
  }
  const isIn = (row: number): boolean => isTraining(decisions, row) && decisions.clean[row] === 1;
  const census = createCensus(names.length, config.balance.rule === 'metaclip-t');
  for await (const batch of batches(table, names, isIn)) census.add(batch);
  const planner = createPlanner(census.take(), config.balance, config.seed);
  for await (const batch of batches(table, names, isIn)) planner.add(batch);
  const plan = planner.plan();
  const balanced = new Uint32Array(names.length);
  const [drawn, notDrawn] = [codeOf(decisions, DRAWN), codeOf(decisions, NOT_DRAWN)];
  for await (const batch of batches(table, names, isIn)) {
    const copies = plan.copies(batch);
    for (const [i, row] of batch.rows.entries()) {
      const times = copies[i] as number;
      decisions.copies[row] = times;
      decisions.score[row] = plan.score(batch, i);
      decisions.reason[row] = times > 0 ? drawn : notDrawn;
    }
    count(batch, balanced, (i) => copies[i] as number);
  }
  keepOtherSides(decisions);
  const { counts: clean } = census.take();
  return { names, raw, clean, balanced, expected: plan.expected };
}

function keepOtherSides(decisions: Decisions): void {
  for (let row = 0; row < decisions.numRows; row++) {
    if (decisions.clean[row] === 1 && decisions.side[row] !== 0) decisions.copies[row] = 1;
  }
}

async function conceptNames(table: SurveyTable): Promise<string[]> {
  const names: string[] = [];
  const sql = 'SELECT DISTINCT unnest(concepts) AS name FROM survey ORDER BY name';
  for await (const rows of table.query(sql))
    for (const row of rows) names.push(String(row['name']));
  return names;
}

function count(batch: RowBatch, counts: Uint32Array, times: (i: number) => number): void {
  for (let i = 0; i < batch.numRows; i++) {
    for (let k = batch.offsets[i] as number; k < (batch.offsets[i + 1] as number); k++) {
      const concept = batch.concepts[k] as number;
      counts[concept] = (counts[concept] as number) + times(i);
    }
  }
}

/** The rows for which `isIn` holds, with concepts as places in `names`. */
async function* batches(
  table: SurveyTable,
  names: readonly string[],
  isIn: (row: number) => boolean,
): AsyncGenerator<NumberedBatch, void, undefined> {
  const ids = new Map(names.map((name, id) => [name, id]));
  for await (const all of table.query('SELECT idx, uid, language, concepts FROM survey')) {
    const rows = all.filter((row) => isIn(row['idx'] as number));
    const lists = rows.map((row) => row['concepts'] as readonly string[]);
    const offsets = new Uint32Array(rows.length + 1);
    for (const [i, list] of lists.entries()) offsets[i + 1] = (offsets[i] as number) + list.length;
    yield {
      numRows: rows.length,
      rows: Int32Array.from(rows, (row) => row['idx'] as number),
      uid: (i) => rows[i]?.['uid'] as string,
      coin: (i, seed) => coinOf(rows[i]?.['uid'] as string, seed),
      language: (i) => rows[i]?.['language'] as string,
      offsets,
      concepts: Int32Array.from(lists.flat(), (name) => ids.get(name) as number),
    };
  }
}
