// A row of the survey, and how it lies in parquet. One row for every record of the input.
import type { PerceptualHash } from '../../image/perceptual-hash.ts';
import { blobValue, type DuckDBValue, listValue } from '../../sample/columns.ts';
import type { Sample } from '../../sample/sample.ts';

/** Shard name prefixes of the output: the sides of the split, and the style training never sees. */
export const SIDES = ['train', 'val', 'test', 'heldout'] as const;
export type Side = (typeof SIDES)[number];

/** What there is to know about one record. A row with `error` has nothing else to say. */
export interface SurveyRow {
  readonly uid: string;
  /** Why it cannot be used. */
  readonly error: string | null;
  /** Whether the record gave a sample at all. */
  readonly readable: boolean;
  readonly source: string;
  readonly side: Side;
  /** uid of the sample it is a variant of. */
  readonly variantOf: string | null;
  /** Of all images as they are encoded. */
  readonly bytes: number;
  /** Of the first image. */
  readonly width: number | null;
  readonly height: number | null;
  /** ISO 639-1 code, '' where none fits. */
  readonly language: string;
  readonly caption: string;
  readonly titleKey: bigint;
  /** Equal for the same picture; 32 hexadecimal digits. */
  readonly identity: string;
  /** Null when it takes no part in the search for look-alikes. */
  readonly hash: PerceptualHash | null;
  readonly signature: Uint32Array | null;
  /** Of the first image, length 1; null without an embedder. */
  readonly embedding: Float32Array | null;
  readonly concepts: readonly string[];
  /** One for each filter, in the order of the filters. */
  readonly scores: readonly (number | null)[];
}

/** The row of a record that cannot be read. */
export function emptyRow(uid: string): SurveyRow {
  return {
    uid,
    error: null,
    readable: false,
    source: '',
    side: 'train',
    variantOf: null,
    bytes: 0,
    width: null,
    height: null,
    language: '',
    caption: '',
    titleKey: 0n,
    identity: '',
    hash: null,
    signature: null,
    embedding: null,
    concepts: [],
    scores: [],
  };
}

export function sideOf(sample: Sample): Side {
  return sample.meta['heldOutStyle'] === true ? 'heldout' : sample.split;
}

/** Names and types of the columns before those of the scores. */
const COLUMNS = {
  uid: 'VARCHAR',
  error: 'VARCHAR',
  readable: 'BOOLEAN',
  source: 'VARCHAR',
  side: 'UTINYINT',
  variantOf: 'VARCHAR',
  bytes: 'BIGINT',
  width: 'INTEGER',
  height: 'INTEGER',
  language: 'VARCHAR',
  caption: 'VARCHAR',
  titleKey: 'BIGINT',
  identity: 'VARCHAR',
  hash: 'BLOB',
  means: 'BLOB',
  signature: 'BLOB',
  embedding: 'BLOB',
  concepts: 'VARCHAR[]',
} as const;

/** Column of a filter's score. */
export function scoreColumn(filter: string): string {
  return `score:${filter}`;
}

/** The column list of a CREATE TABLE. */
export function columnList(filters: readonly string[]): string {
  const scores = filters.map((name) => `"${scoreColumn(name)}" DOUBLE`);
  return [...Object.entries(COLUMNS).map(([name, type]) => `"${name}" ${type}`), ...scores].join();
}

/** The cells of a row, in the order of `columnList`. */
export function cellsOf(row: SurveyRow, numScores: number): DuckDBValue[] {
  const { hash, signature, embedding } = row;
  return [
    row.uid,
    row.error,
    row.readable,
    row.source,
    SIDES.indexOf(row.side),
    row.variantOf,
    BigInt(row.bytes),
    row.width,
    row.height,
    row.language,
    row.caption,
    row.titleKey,
    row.identity,
    hash === null ? null : blobValue(bytesOf(hash.bits)),
    hash === null ? null : blobValue(hash.means),
    signature === null ? null : blobValue(bytesOf(signature)),
    embedding === null ? null : blobValue(bytesOf(embedding)),
    listValue(row.concepts),
    ...Array.from({ length: numScores }, (_, i) => row.scores[i] ?? null),
  ];
}

function bytesOf(words: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** The words of a blob column; a copy, so that they lie on a whole address. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
