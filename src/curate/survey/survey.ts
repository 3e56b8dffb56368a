// First pass: what there is to know about each record, one row each, in parquet beside the output.
// Decides nothing. A shard that has its rows is not surveyed again, whoever made them.
import { join } from 'node:path';
import * as z from 'zod';
import type { Cluster } from '../../cluster/run-shards.ts';
import { ensureFolder, sweepTemporary } from '../../core/files.ts';
import type { Logger } from '../../core/log.ts';
import { type ColumnRow, type Columns, openColumns, sqlText } from '../../sample/columns.ts';
import type { Source } from '../../sample/sources/source.ts';
import { runWithProgress } from '../run-with-progress.ts';
import { writeEvaluationIndex } from './evaluation-index.ts';
import { evaluationFile } from './instruments.ts';
import { type SurveySpec, surveySpecSchema } from './settings.ts';
import { surveyPath } from './survey-task.ts';

export interface SurveyShard {
  /** Of the input. */
  readonly name: string;
  readonly numRows: number;
  /** Number of its first row among all rows. */
  readonly firstRow: number;
}

/** The rows of all shards as one table, numbered in the order of the input. */
export interface SurveyTable {
  readonly numRows: number;
  readonly shards: readonly SurveyShard[];
  /** Runs a query on the view `survey`; its column `idx` is the number of the row. */
  query(sql: string): AsyncGenerator<readonly ColumnRow[], void, undefined>;
  close(): void;
  [Symbol.dispose](): void;
}

export interface SurveyOptions {
  readonly input: Source;
  readonly spec: SurveySpec;
  readonly evaluation: readonly string[];
  /** Processes. */
  readonly workers: number;
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

/** Task and markers; not needed once every shard has its rows. */
export function workFolder(folder: string): string {
  return join(folder, 'work');
}

/** Where large sorts and groups go for a while. */
export function spillFolder(folder: string): string {
  return join(folder, 'spill');
}

const MODULE = new URL('./survey-task.ts', import.meta.url).href;
const resultSchema = z.object({ numRows: z.int().nonnegative() });

/**
 * Survey every shard of the input that has no rows yet, and open the rows.
 * @throws OneVisionError 'data' when a shard cannot be surveyed.
 */
export async function survey(options: SurveyOptions): Promise<SurveyTable> {
  const { input, spec, evaluation, workers, cluster, log } = options;
  const { folder } = spec;
  ensureFolder(folder);
  sweepTemporary(folder);
  if (evaluation.length > 0) {
    const { maxPixels } = surveySpecSchema.parse(spec).config.filters;
    await writeEvaluationIndex(evaluation, evaluationFile(folder), maxPixels);
  }
  const names = input.shards.map((shard) => shard.name);
  const task = { name: 'survey', module: MODULE, config: spec, shards: names };
  const results = await runWithProgress(task, { dir: workFolder(folder), workers, cluster, log });
  let numRows = 0;
  const shards = names.map((name, i): SurveyShard => {
    const shard = { name, firstRow: numRows, ...resultSchema.parse(results[i]) };
    numRows += shard.numRows;
    return shard;
  });
  return openSurvey(folder, shards, numRows);
}

async function openSurvey(
  folder: string,
  shards: readonly SurveyShard[],
  numRows: number,
): Promise<SurveyTable> {
  const columns = await openColumns({ memoryMiB: 2048, spillDir: spillFolder(folder) });
  await createView(columns, folder, shards);
  return {
    numRows,
    shards,
    query: (sql) => columns.batches(sql),
    close: columns.close,
    [Symbol.dispose]: columns.close,
  };
}

/** Makes the view `survey` with the global number of each row. */
async function createView(
  columns: Columns,
  folder: string,
  shards: readonly SurveyShard[],
): Promise<void> {
  const files = shards.map(({ name }) => sqlText(surveyPath(folder, name))).join(', ');
  const first = shards.map(({ firstRow }) => firstRow).join(', ');
  await columns.run(
    `CREATE VIEW survey AS SELECT *, (([${first}])[file_index::BIGINT + 1] + file_row_number)::INTEGER ` +
      `AS idx FROM read_parquet([${files}])`,
  );
}
