// Rows for balancing as columns: uid, language, concept ids. A batch at a time, never all in memory.

import { OneVisionError } from '../../core/errors.ts';
import { type Columns, sqlName, sqlText } from '../../sample/columns.ts';

/** Some rows. The concepts of row i are `concepts[offsets[i] … offsets[i + 1])`. */
export interface RowBatch {
  readonly numRows: number;
  readonly uid: (row: number) => string;
  /** '' where it is not known. */
  readonly language: (row: number) => string;
  /** [numRows + 1]. */
  readonly offsets: Uint32Array;
  readonly concepts: Int32Array;
}

/** A sample as balancing sees it. */
export interface BalanceItem {
  readonly uid: string;
  readonly concepts: readonly string[];
  /** Of its text; only `metaclip-t` asks. */
  readonly language?: string | undefined;
}

/** Samples in memory as one batch; concepts get ids in order of appearance. */
export function batchOfItems(items: readonly BalanceItem[]): {
  readonly batch: RowBatch;
  /** Id → concept. */
  readonly names: readonly string[];
} {
  const ids = new Map<string, number>();
  const offsets = new Uint32Array(items.length + 1);
  const concepts: number[] = [];
  for (const [row, item] of items.entries()) {
    for (const concept of item.concepts) {
      const id = ids.get(concept) ?? ids.size;
      if (id === ids.size) ids.set(concept, id);
      concepts.push(id);
    }
    offsets[row + 1] = concepts.length;
  }
  const batch = {
    numRows: items.length,
    uid: (row: number) => items[row]?.uid ?? '',
    language: (row: number) => items[row]?.language ?? '',
    offsets,
    concepts: Int32Array.from(concepts),
  };
  return { batch, names: [...ids.keys()] };
}

/** Names of the columns in the files. */
export interface RowColumns {
  readonly uid?: string;
  /** A list of whole numbers below `numConcepts`. */
  readonly concepts?: string;
  readonly language?: string | undefined;
}

/**
 * The rows of parquet files, in their order, in batches of up to 2,048.
 * @throws OneVisionError 'data' for a file or a column that is missing, or a row without uid.
 */
export async function* readRowBatches(
  columns: Columns,
  files: readonly string[],
  { uid = 'uid', concepts = 'concepts', language }: RowColumns = {},
): AsyncGenerator<RowBatch, void, undefined> {
  const list = files.map(sqlText).join(', ');
  const selected = [
    `${sqlName(uid)}::VARCHAR`,
    `coalesce(${sqlName(concepts)}::INTEGER[], [])`,
    language === undefined ? "''" : `coalesce(${sqlName(language)}::VARCHAR, '')`,
  ];
  const sql = `SELECT ${selected.join(', ')} FROM read_parquet([${list}])`;
  for await (const { numRows, texts, lists } of columns.vectors(sql)) {
    const [uids, languages] = [texts(0), language === undefined ? undefined : texts(2)];
    const { offsets, values } = lists(1);
    const uidOf = (row: number): string => {
      const found = uids(row);
      if (found !== null) return found;
      throw new OneVisionError('data', `expected a uid in every row of ${files[0]}, came none`, {
        hint: `fill the column ${uid}, or name another one`,
      });
    };
    const languageOf = (row: number): string => languages?.(row) ?? '';
    yield { numRows, uid: uidOf, language: languageOf, offsets, concepts: values };
  }
}
