// How often each concept occurs, before and after curation: a file that curation writes and
// evaluation reads (accuracy of frequent and rare concepts).
import { join } from 'node:path';
import * as z from 'zod';
import { readJson, writeFileAtomic } from '../core/files.ts';

export const CONCEPTS = 'concepts.json';

/** Samples of the training side that carry the concept. */
export interface ConceptCount {
  /** In the input. */
  readonly raw: number;
  /** After filters and deduplication. */
  readonly clean: number;
  /** After balancing: what training meets. Repetitions count. */
  readonly balanced: number;
}

export type ConceptTable = ReadonlyMap<string, ConceptCount>;

const countSchema = z.number().int().nonnegative();
const rowSchema: z.ZodType<ConceptCount> = z.strictObject({
  raw: countSchema,
  clean: countSchema,
  balanced: countSchema,
});
const fileSchema = z.strictObject({
  format: z.literal('onevision/concepts/1'),
  concepts: z.record(z.string(), rowSchema),
});

/** Write `concepts.json`, most frequent concepts (after cleaning) first. */
export async function writeConceptTable(dir: string, table: ConceptTable): Promise<void> {
  const rows = [...table].sort(
    ([a, x], [b, y]) => y.clean - x.clean || y.raw - x.raw || (a < b ? -1 : 1),
  );
  const lines = rows.map(
    ([name, count]) => `    ${JSON.stringify(name)}: ${JSON.stringify(count)}`,
  );
  const body = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  const text = `{\n  "format": "onevision/concepts/1",\n  "concepts": ${body}\n}\n`;
  await writeFileAtomic(join(dir, CONCEPTS), text);
}

/** Read `concepts.json` of a curated folder. @throws OneVisionError 'data' when it is not there. */
export function readConceptTable(dir: string): ConceptTable {
  return new Map(Object.entries(readJson(join(dir, CONCEPTS), fileSchema).concepts));
}
