// Reading a run folder: for the dashboard, reports and tests. Writes nothing, so it is safe beside
// a run in progress.

import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../core/files.ts';
import { readJsonl } from '../core/jsonl.ts';
import { isMetricName } from './metric-names.ts';
import {
  type EventRow,
  type GeneratedRow,
  type MetricRow,
  RUN_FORMAT,
  type RunInfo,
  runPaths,
  stepName,
} from './protocol.ts';

const RunInfoSchema = z.object({
  format: z.literal(RUN_FORMAT),
  name: z.string(),
  status: z.enum(['running', 'done', 'failed', 'interrupted']),
  createdAt: z.string(),
  updatedAt: z.string(),
  about: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

const MetricHeadSchema = z.looseObject({
  step: z.number().int().nonnegative(),
  stage: z.string(),
  time: z.number(),
});

/**
 * Reads run.json.
 * @throws OneVisionError 'data' when the folder holds no run of this format.
 */
export function readRunInfo(dir: string): RunInfo {
  return readJson(runPaths(dir).run, RunInfoSchema);
}

/**
 * The metrics of a run in order of steps. Lines that are no metrics are left out; what
 * was logged after a checkpoint that the run was later resumed from is superseded.
 */
export async function readMetrics(dir: string): Promise<MetricRow[]> {
  const rows: MetricRow[] = [];
  for await (const value of readJsonl(runPaths(dir).metrics)) {
    const head = MetricHeadSchema.safeParse(value);
    if (!head.success) continue;
    const { step, stage, time, resumed, ...rest } = head.data;
    // A resume marker stands for the step it continues from; a plain row replaces its own step.
    const superseded = (row: MetricRow): boolean =>
      resumed === true ? row.step > step : row.step >= step;
    while (rows.length > 0 && superseded(rows.at(-1) as MetricRow)) rows.pop();
    if (resumed === true) continue;
    const metrics = Object.entries(rest).filter(
      (entry) => isMetricName(entry[0]) && typeof entry[1] === 'number',
    );
    rows.push({ step, stage, time, ...Object.fromEntries(metrics) });
  }
  return rows;
}

/** The events of a run, oldest first. */
export async function readEvents(dir: string): Promise<EventRow[]> {
  return readRows<EventRow>(runPaths(dir).events);
}

/** What the model said at a step; empty when nothing was written there. */
export async function readGenerated(dir: string, step: number): Promise<GeneratedRow[]> {
  return readRows<GeneratedRow>(join(runPaths(dir).samples, `${stepName(step)}.jsonl`));
}

/** Rows that `run.ts` wrote; what is no object is left out. */
async function readRows<Row extends object>(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const value of readJsonl(path)) {
    if (typeof value === 'object' && value !== null) rows.push(value as Row);
  }
  return rows;
}
