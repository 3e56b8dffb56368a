// The data of a benchmark as a table on the hub: which files, which columns, and what each row asks.
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import type { ColumnRow } from '../../sample/columns.ts';
import type { Picture } from './fields.ts';
import type { HubSource } from './hub-folder.ts';

/** One question that a row asks. */
export interface TableItem {
  /** Tells the questions of a row apart; default '' where a row asks one. */
  readonly part?: string;
  /** The user's turn without its pictures; they come before it, as in the paper's harness. */
  readonly text: string;
  readonly system?: string;
  readonly pictures: readonly Picture[];
  /** Accepted answers as the data have them, a letter for a choice; none where they are hidden. */
  readonly answers: readonly string[];
  /** Texts of the options, A first. */
  readonly options?: readonly string[];
  /** The question as the data have it, where scoring reads it. */
  readonly question?: string;
  /** Columns that scorers, aggregators and submissions go by, as text, by their names in the data. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Items of one cluster are not independent. Default: those that share their first picture. */
  readonly cluster?: string;
}

/** How many rows and items there should be. */
export interface Expected {
  readonly items: number;
  /** Where not every row asks one question. */
  readonly rows?: number;
  /** The counts were never checked against the data: a difference is a warning, no error. */
  readonly unsure?: boolean;
}

export interface TableData {
  readonly source: HubSource;
  readonly expected: Expected;
  /** Raise it when `items` asks in another way; a test holds each version to its prompts. */
  readonly promptVersion: number;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** @throws OneVisionError 'data' for a row of another shape */
  items(fields: ColumnRow, index: number): readonly TableItem[];
}

export interface TableSpec<Row extends z.ZodObject> {
  readonly repo: string;
  readonly files: readonly string[];
  readonly revision?: string;
  readonly expected: Expected;
  readonly promptVersion?: number;
  readonly columns: Row;
  items(row: z.output<Row>, index: number): readonly TableItem[];
}

/** The description of a table whose rows are checked before they are asked. */
export function table<Row extends z.ZodObject>(spec: TableSpec<Row>): TableData {
  const { repo, files, revision = 'main', columns, promptVersion = 1, expected } = spec;
  const names = Object.keys(columns.shape);
  const isOptional = (name: string): boolean =>
    z.safeParse(columns.shape[name] as z.ZodType, undefined).success;
  return {
    source: { repo, revision, files },
    expected,
    promptVersion,
    required: names.filter((name) => !isOptional(name)),
    optional: names.filter(isOptional),
    items: (fields, index) => {
      const row = columns.safeParse(fields);
      if (row.success) return spec.items(row.data, index);
      throw new OneVisionError(
        'data',
        `Expected other columns in row ${index} of ${repo}:\n${z.prettifyError(row.error)}`,
        { hint: 'this is another data set or another revision of it' },
      );
    },
  };
}
