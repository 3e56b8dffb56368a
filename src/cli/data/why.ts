// Every verdict on one sample, from all ledgers below some folders, in the order of the pipeline's
// stages where the folders tell it, else of the paths.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { LEDGER, type LedgerRow, readLedger } from '../../sample/ledger.ts';

export interface FoundRow extends LedgerRow {
  readonly ledger: string;
}

/** Rows about the uid itself, its copies (`uid#2`), and samples that were made from it. */
export async function findVerdicts(uid: string, folders: readonly string[]): Promise<FoundRow[]> {
  const found: FoundRow[] = [];
  const paths = folders.flatMap((folder) =>
    globSync(`**/*${LEDGER}`, { cwd: folder }).map((name) => join(folder, name)),
  );
  for (const path of [...new Set(paths)].sort()) {
    for await (const row of readLedger(path)) {
      const isOne = row.uid === uid || row.uid.startsWith(`${uid}#`) || row.parent === uid;
      if (isOne) found.push({ ...row, ledger: path });
    }
  }
  return found;
}
