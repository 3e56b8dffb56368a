// The rows of the ledger: one for each input, in input order, from survey and decisions.
import type { LedgerRow, Verdict } from '../../sample/ledger.ts';
import { type Decisions, ERROR, NONE } from '../decide/decisions.ts';
import type { Filter } from '../filters/filter.ts';
import type { SurveyTable } from '../survey/survey.ts';

export const STAGE = 'curate';

export async function* ledgerRows(
  table: SurveyTable,
  decisions: Decisions,
  filters: readonly Filter[],
  configHash: string,
): AsyncGenerator<LedgerRow, void, undefined> {
  const heads = await readHeads(table, decisions);
  const limits = new Map(filters.map(({ name, limit }) => [name, limit]));
  for await (const rows of table.query('SELECT idx, uid, error FROM survey')) {
    for (const row of rows) {
      const at = row['idx'] as number;
      const [uid, error] = [row['uid'] as string, row['error'] as string | null];
      const name = decisions.reasons[decisions.reason[at] as number] ?? ERROR;
      const score = decisions.score[at] as number;
      const head = decisions.parent[at] as number;
      const parent = head === NONE ? undefined : heads.uid(head);
      yield {
        uid,
        stage: STAGE,
        verdict: verdictOf(decisions, at, error),
        reason: error ?? name,
        score: Number.isNaN(score) ? undefined : score,
        limit: limits.get(name),
        parent,
        cluster: parent ?? (heads.has(at) ? uid : undefined),
        configHash,
      };
    }
  }
}

function verdictOf({ copies }: Decisions, row: number, error: string | null): Verdict {
  if (error !== null) return 'error';
  return (copies[row] as number) > 0 ? 'keep' : 'drop';
}

interface Heads {
  has(row: number): boolean;
  uid(row: number): string | undefined;
}

/** A map holds no more than 2^24 entries. */
const ROWS_PER_MAP = 1 << 22;

/** uids of the rows that others are copies of. */
async function readHeads(table: SurveyTable, { parent, numRows }: Decisions): Promise<Heads> {
  const isHead = new Uint8Array(numRows);
  for (const head of parent) if (head !== NONE) isHead[head] = 1;
  const maps: Map<number, string>[] = [];
  for await (const rows of table.query('SELECT idx, uid FROM survey')) {
    for (const row of rows) {
      const at = row['idx'] as number;
      if (isHead[at] !== 1) continue;
      const map = Math.floor(at / ROWS_PER_MAP);
      while (maps.length <= map) maps.push(new Map());
      maps[map]?.set(at, row['uid'] as string);
    }
  }
  return {
    has: (row) => isHead[row] === 1,
    uid: (row) => maps[Math.floor(row / ROWS_PER_MAP)]?.get(row),
  };
}
