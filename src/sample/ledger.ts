// One row for every decision on a sample: what was decided, by which stage, and why. JSON lines.

import * as z from 'zod';
import { createFileAtomic } from '../core/files.ts';
import { readJsonl } from '../core/jsonl.ts';

export type Verdict = 'keep' | 'drop' | 'error';

export interface LedgerRow {
  readonly uid: string;
  readonly stage: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly score?: number | undefined;
  /** The threshold that the score has not met, in words. */
  readonly limit?: string | undefined;
  /** The uid this one was made from, or the one it is a duplicate of. */
  readonly parent?: string | undefined;
  /** Samples with the same one are copies of each other; it is the uid of the one that stays. */
  readonly cluster?: string | undefined;
  readonly configHash: string;
}

const rowSchema: z.ZodType<LedgerRow> = z.object({
  uid: z.string(),
  stage: z.string(),
  verdict: z.enum(['keep', 'drop', 'error']),
  reason: z.string(),
  score: z.number().optional(),
  limit: z.string().optional(),
  parent: z.string().optional(),
  cluster: z.string().optional(),
  configHash: z.string(),
});

export const LEDGER = 'ledger.jsonl';
const FLUSH_ROWS = 4096;

/** Write a whole ledger, row by row in bounded memory. It appears only when it is complete. */
export async function writeLedger(
  path: string,
  rows: Iterable<LedgerRow> | AsyncIterable<LedgerRow>,
): Promise<number> {
  await using file = await createFileAtomic(path);
  let lines: string[] = [];
  let count = 0;
  for await (const row of rows) {
    lines.push(`${JSON.stringify(row)}\n`);
    count += 1;
    if (lines.length < FLUSH_ROWS) continue;
    await file.write(lines.join(''));
    lines = [];
  }
  await file.write(lines.join(''));
  await file.commit();
  return count;
}

/** The rows of a ledger, in order. */
export async function* readLedger(path: string): AsyncGenerator<LedgerRow, void, undefined> {
  for await (const row of readJsonl(path)) yield rowSchema.parse(row);
}
