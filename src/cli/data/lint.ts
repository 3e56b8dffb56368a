// Lints a source over several processes and sums up: sound records, reasons for the others, uids that
// come twice. The whole ledger can be kept.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, runShards } from '../../cluster/run-shards.ts';
import { OneVisionError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type LedgerRow, readShardLedgers, writeLedger } from '../../sample/ledger.ts';
import { createUidCheck } from '../../sample/lint.ts';
import { openSource } from '../../sample/sources/open.ts';
import type { SourceSpec } from '../../sample/sources/source.ts';

export interface LintSummary {
  readonly records: number;
  readonly sound: number;
  /** Reason → records, most frequent first. */
  readonly faults: Readonly<Record<string, number>>;
  /** uid → reason, for the first of each reason. */
  readonly examples: Readonly<Record<string, string>>;
}

export interface LintOptions {
  readonly workers: number;
  /** Keep a row of every record here. */
  readonly ledger?: string | undefined;
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

export async function lint(spec: SourceSpec, options: LintOptions): Promise<LintSummary> {
  const source = await openSource(spec);
  const dir = workFolder(source.hash, options);
  const rows = join(dir, 'rows');
  try {
    const { href: module } = new URL('./lint-task.ts', import.meta.url);
    const shards = source.shards.map(({ name }) => name);
    const task = { name: 'lint', module, config: { source: spec, rows }, shards };
    const { workers, cluster, log } = options;
    await runShards(task, { dir, workers, cluster, log });
    const summary = createSummary();
    const all = summary.watch(readShardLedgers(rows, shards));
    if (options.ledger === undefined) for await (const _ of all);
    else await writeLedger(options.ledger, all);
    rmSync(dir, { recursive: true, force: true });
    return summary.result();
  } catch (error) {
    // On a cluster the same command goes on from what is done.
    if (options.cluster === undefined) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Beside the ledger where other machines work too: they see the same folders, and it can go on. */
function workFolder(sourceHash: string, { cluster, ledger }: LintOptions): string {
  if (cluster === undefined) return mkdtempSync(join(tmpdir(), 'onevision-lint-'));
  if (ledger === undefined) {
    throw new OneVisionError('usage', 'expected --ledger FILE beside --cluster, came none', {
      hint: 'name a file that all machines see: rows are gathered beside it',
    });
  }
  const dir = `${ledger}.work-${sourceHash.slice(0, 16)}`;
  mkdirSync(dir, { recursive: true });
  return dir;
}

function createSummary(): {
  watch(rows: AsyncIterable<LedgerRow>): AsyncGenerator<LedgerRow, void, undefined>;
  result(): LintSummary;
} {
  const isNew = createUidCheck();
  const faults = new Map<string, number>();
  const examples = new Map<string, string>();
  let records = 0;
  const checked = (row: LedgerRow): LedgerRow => {
    const isTwice = !isNew(row.uid) && row.verdict === 'keep';
    return isTwice ? { ...row, verdict: 'error', reason: 'the uid was there before' } : row;
  };
  return {
    watch: async function* (rows) {
      for await (const given of rows) {
        const row = checked(given);
        records += 1;
        if (row.verdict !== 'keep') {
          faults.set(row.reason, (faults.get(row.reason) ?? 0) + 1);
          if (!examples.has(row.reason)) examples.set(row.reason, row.uid);
        }
        yield row;
      }
    },
    result: () => {
      const sorted = [...faults].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
      const numFaults = sorted.reduce((sum, [, count]) => sum + count, 0);
      return {
        records,
        sound: records - numFaults,
        faults: Object.fromEntries(sorted),
        examples: Object.fromEntries(
          sorted.map(([reason]) => [examples.get(reason) ?? '', reason]),
        ),
      };
    },
  };
}
