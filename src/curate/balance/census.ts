// First pass of balancing: how often each concept occurs, in all and by language. Adds batches up.
import { OneVisionError } from '../../core/errors.ts';
import type { RowBatch } from './rows.ts';

/** What the first pass learns. */
export interface Census {
  readonly numRows: number;
  /** Rows without a concept. */
  readonly numPlain: number;
  /** f_c: rows that carry concept c. [numConcepts] */
  readonly counts: Uint32Array;
  /** g_c = Σ over the rows i with concept c of 1/|C(i)|. [numConcepts] */
  readonly shares: Float64Array;
  /** f_lc, only where languages are asked for. */
  readonly byLanguage: ReadonlyMap<string, Uint32Array>;
}

/** Counts batches; see `take`. */
export interface CensusTaker {
  add(batch: RowBatch): void;
  take(): Census;
}

/**
 * @param numConcepts ids are below this
 * @param withLanguages count by language too: numConcepts × 4 bytes for each language
 */
export function createCensus(numConcepts: number, withLanguages = false): CensusTaker {
  const counts = new Uint32Array(numConcepts);
  const shares = new Float64Array(numConcepts);
  const byLanguage = new Map<string, Uint32Array>();
  let numRows = 0;
  let numPlain = 0;
  const countsOf = (language: string): Uint32Array => {
    const known = byLanguage.get(language) ?? new Uint32Array(numConcepts);
    byLanguage.set(language, known);
    return known;
  };
  const add = (batch: RowBatch): void => {
    const { offsets, concepts } = batch;
    numRows += batch.numRows;
    for (let row = 0; row < batch.numRows; row++) {
      const start = offsets[row] as number;
      const end = offsets[row + 1] as number;
      if (start === end) numPlain += 1;
      const own = withLanguages && start < end ? countsOf(batch.language(row)) : undefined;
      const share = 1 / (end - start);
      for (let at = start; at < end; at++) {
        const id = concepts[at] as number;
        if (!(id >= 0 && id < numConcepts)) throw badConcept(id, numConcepts, batch.uid(row));
        counts[id] = (counts[id] as number) + 1;
        shares[id] = (shares[id] as number) + share;
        if (own !== undefined) own[id] = (own[id] as number) + 1;
      }
    }
  };
  return { add, take: () => ({ numRows, numPlain, counts, shares, byLanguage }) };
}

function badConcept(id: number, numConcepts: number, uid: string): OneVisionError {
  return new OneVisionError(
    'data',
    `expected concept ids from 0 to ${numConcepts - 1}, came ${id} in row ${uid}`,
    { hint: 'balance with the concept list that the rows were matched against' },
  );
}
