// The form of a small copy of a data set: columns, rows, and what each row is there to bring about.

/** What the row is there to bring about. */
export type Wanted =
  | 'correct'
  | 'wrong'
  | 'unparsed'
  | 'truncated'
  | 'refused'
  | 'model-error'
  | 'skipped';

/** One row: its columns, and replies that are right and wrong. */
export interface SetRow {
  readonly cells: Readonly<Record<string, Cell>>;
  readonly wanted: Wanted;
  /** By the text of the question, where a row asks several. */
  readonly right: string | ((question: string) => string);
  readonly wrong: string;
}

/** A cell as it is written here. */
export type Cell = string | number | null | readonly string[] | readonly number[];
/** A cell that becomes the picture drawn for the row. */
export const PICTURE = '(picture)';

/** SQL types of the columns; a picture is a struct of bytes and path, base64 text, or a list. */
export type ColumnType =
  | 'VARCHAR'
  | 'BIGINT'
  | 'VARCHAR[]'
  | 'BIGINT[]'
  | 'image'
  | 'base64'
  | 'images';

export interface HubSet {
  /** Name of the benchmark. */
  readonly name: string;
  /** Below the data root. */
  readonly file: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly rows: readonly SetRow[];
}

export const EIGHT: readonly Wanted[] = [
  'correct',
  'wrong',
  'unparsed',
  'truncated',
  'refused',
  'model-error',
  'skipped',
  'correct',
];
export const LETTERS = 'ABCD';
export const OPTIONS = ['a red car', 'the blue bus', 'two dogs', 'none of the above'] as const;

export type Make = (place: number, letter: string) => Readonly<Record<string, Cell>>;

/** Rows of a choice benchmark: the answer is A, B, C or D in turn. */
export function choices(make: Make, wanted: readonly Wanted[] = EIGHT): SetRow[] {
  return wanted.map((one, place) => {
    const letter = LETTERS[place % 4] as string;
    const wrong = LETTERS[(place + 1) % 4] as string;
    return { cells: make(place, letter), wanted: one, right: letter, wrong };
  });
}

/** Rows whose answer is a text that the caller gives. */
export function answers(
  make: (place: number) => { cells: Readonly<Record<string, Cell>>; right: SetRow['right'] },
  wanted: readonly Wanted[] = EIGHT,
): SetRow[] {
  return wanted.map((one, place) => ({ ...make(place), wanted: one, wrong: '77777' }));
}
