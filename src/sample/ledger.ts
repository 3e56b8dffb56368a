// One row for every decision on a sample: what was decided, by which stage, and why. JSON lines.

import { join } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../core/hash.ts';
import { readJsonl, writeJsonl } from '../core/jsonl.ts';
import { eachLost, type LostSamples } from './sources/source.ts';

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

/** Write a whole ledger, row by row in bounded memory. It appears only when it is complete. */
export async function writeLedger(
  path: string,
  rows: Iterable<LedgerRow> | AsyncIterable<LedgerRow>,
): Promise<number> {
  return await writeJsonl(path, rows);
}

/** The file of one shard's rows, where a stage gathers them shard by shard. */
export function shardLedger(folder: string, shard: string): string {
  return join(folder, `${sha256Hex(shard).slice(0, 16)}.jsonl`);
}

/** The rows of the shards, one after the other. */
export async function* readShardLedgers(
  folder: string,
  shards: readonly string[],
): AsyncGenerator<LedgerRow, void, undefined> {
  for (const shard of shards) yield* readLedger(shardLedger(folder, shard));
}

/** A row for each record that a source could not give. */
export function lostRows(
  lost: LostSamples,
  { stage, configHash }: Pick<LedgerRow, 'stage' | 'configHash'>,
): LedgerRow[] {
  return eachLost(lost).map(({ uid, reason }) => {
    return { uid, stage, verdict: 'error', reason, configHash };
  });
}

/** The rows of a ledger, in order. */
export async function* readLedger(path: string): AsyncGenerator<LedgerRow, void, undefined> {
  for await (const row of readJsonl(path)) yield rowSchema.parse(row);
}
