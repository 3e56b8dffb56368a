// `report.json` of a curated folder: what the page of the report is made of.
import { join } from 'node:path';
import * as z from 'zod';
import { readJson, writeFileAtomic } from '../../core/files.ts';
import type { JsonValue } from '../../sample/sample.ts';
import type { ConceptStatistics } from './statistics.ts';

/** A sample shown for a reason. */
export interface Example {
  readonly uid: string;
  /** Where it lies in the input. */
  readonly shard: string;
  readonly row: number;
  readonly source: string;
  readonly caption: string;
  readonly score: number | null;
}

/** The training side at one point. */
export interface Stage {
  readonly samples: number;
  readonly statistics: ConceptStatistics;
  /** [rank, count], falling. */
  readonly curve: readonly (readonly [rank: number, count: number])[];
}

/** [concept, raw, clean, balanced]. */
export type ConceptRow = readonly [string, number, number, number];
/** [name, samples before, samples after]. */
export type Pair = readonly [string, number, number];

export interface Report {
  readonly format: 'onevision/curation-report/1';
  /** The source, as it was given. */
  readonly input: JsonValue;
  readonly numInput: number;
  readonly numWritten: number;
  /** Inputs by what became of them, with the threshold of a filter. */
  readonly funnel: readonly {
    readonly reason: string;
    readonly count: number;
    readonly limit: string;
  }[];
  readonly stages: { readonly raw: Stage; readonly clean: Stage; readonly balanced: Stage };
  /** What the rule of balancing predicted. */
  readonly expected: {
    readonly rows: number;
    readonly distinct: number;
    readonly deviation: number;
  };
  /** Most frequent concepts of the input. */
  readonly top: readonly ConceptRow[];
  /** Most frequent concepts of the input that are gone after cleaning. */
  readonly gone: readonly ConceptRow[];
  readonly languages: readonly Pair[];
  readonly sources: readonly Pair[];
  /** By √(width · height): '64' is 64 to 127. */
  readonly sizes: readonly Pair[];
  readonly examples: Readonly<Record<string, readonly Example[]>>;
}

const count = z.number().nonnegative();
const stage: z.ZodType<Stage> = z.strictObject({
  samples: count,
  statistics: z.strictObject({
    concepts: count,
    occurrences: count,
    gini: z.number(),
    topShare: count,
    singletons: count,
  }),
  curve: z.array(z.tuple([count, count])),
});
const conceptRows: z.ZodType<ConceptRow[]> = z.array(z.tuple([z.string(), count, count, count]));
const pairs: z.ZodType<Pair[]> = z.array(z.tuple([z.string(), count, count]));
const example: z.ZodType<Example> = z.strictObject({
  uid: z.string(),
  shard: z.string(),
  row: z.int(),
  source: z.string(),
  caption: z.string(),
  score: z.number().nullable(),
});
const reportSchema: z.ZodType<Report> = z.strictObject({
  format: z.literal('onevision/curation-report/1'),
  input: z.json(),
  numInput: count,
  numWritten: count,
  funnel: z.array(z.strictObject({ reason: z.string(), count, limit: z.string() })),
  stages: z.strictObject({ raw: stage, clean: stage, balanced: stage }),
  expected: z.strictObject({ rows: count, distinct: count, deviation: count }),
  top: conceptRows,
  gone: conceptRows,
  languages: pairs,
  sources: pairs,
  sizes: pairs,
  examples: z.record(z.string(), z.array(example)),
});

export const REPORT = 'report.json';

export async function writeReport(dir: string, report: Report): Promise<void> {
  await writeFileAtomic(join(dir, REPORT), `${JSON.stringify(report, null, 1)}\n`);
}

/** @throws OneVisionError 'data' when the folder was not curated. */
export function readReport(dir: string): Report {
  return readJson(join(dir, REPORT), reportSchema);
}
