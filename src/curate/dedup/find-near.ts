// The search for near-duplicates over all rows, whatever near means: rows are taken in a stated
// order; one that is near an earlier one that stayed goes, the others stay.
import type { ColumnRow } from '../../sample/columns.ts';
import type { SurveyTable } from '../survey/survey.ts';
import type { Near } from './hamming-index.ts';

/** One meaning of near. */
export interface NearFinder {
  /** Columns it reads; rows where the first is null take no part. */
  readonly columns: readonly string[];
  /** Memory for so many rows, which are numbered in the order in which they are taken. */
  open(numRows: number): NearRows;
}

export interface NearRows {
  load(place: number, row: ColumnRow): void;
  /** The nearest of the places that were added. */
  nearest(place: number): Near | undefined;
  add(place: number): void;
}

export interface NearSearch {
  /** SQL order of the rows. */
  readonly order: string;
  isIn(row: number): boolean;
  /** `row` is near `parent`, which stayed. */
  found(row: number, parent: number, distance: number): void;
}

export async function findNear(
  table: SurveyTable,
  finder: NearFinder,
  { order, isIn, found }: NearSearch,
): Promise<void> {
  const taking = `"${finder.columns[0]}" IS NOT NULL`;
  const rowAt = new Int32Array(table.numRows);
  let numPlaces = 0;
  for await (const rows of table.query(
    `SELECT idx FROM survey WHERE ${taking} ORDER BY ${order}`,
  )) {
    for (const row of rows)
      if (isIn(row['idx'] as number)) rowAt[numPlaces++] = row['idx'] as number;
  }
  const placeOf = new Int32Array(table.numRows).fill(-1);
  for (let place = 0; place < numPlaces; place++) placeOf[rowAt[place] as number] = place;
  const near = finder.open(numPlaces);
  const list = finder.columns.map((name) => `"${name}"`).join();
  for await (const rows of table.query(`SELECT idx, ${list} FROM survey WHERE ${taking}`)) {
    for (const row of rows) {
      const place = placeOf[row['idx'] as number] as number;
      if (place >= 0) near.load(place, row);
    }
  }
  for (let place = 0; place < numPlaces; place++) {
    const other = near.nearest(place);
    if (other === undefined) near.add(place);
    else found(rowAt[place] as number, rowAt[other.row] as number, other.distance);
  }
}
