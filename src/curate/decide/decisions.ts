// What becomes of each input, as columns: a few bytes a row, no object for it.

export const ERROR = 'error';
export const VARIANT = 'variant';
export const EXACT_DUPLICATE = 'exact-duplicate';
export const NEAR_DUPLICATE = 'near-duplicate';
export const NEAR_TEXT = 'near-text';
export const NEAR_MEANING = 'near-meaning';
/** Passed filters and deduplication, and is not balanced: the sides that training does not see. */
export const CLEAN = 'clean';
export const DRAWN = 'drawn';
export const NOT_DRAWN = 'not-drawn';

/** Why a sample of this reason is where it is; filters give their names. */
const OTHER_REASONS = [
  VARIANT,
  EXACT_DUPLICATE,
  NEAR_DUPLICATE,
  NEAR_TEXT,
  NEAR_MEANING,
  CLEAN,
  DRAWN,
  NOT_DRAWN,
] as const;

/** No row. */
export const NONE = -1;

/** Columns of numRows entries. */
export interface Decisions {
  readonly numRows: number;
  /** Names of the reasons, by code: the error first, then the filters. */
  readonly reasons: readonly string[];
  /** Code of the reason. */
  readonly reason: Uint8Array;
  /** The number behind the reason; NaN where there is none. */
  readonly score: Float64Array;
  /** Row of the sample that stays in its place, or NONE. */
  readonly parent: Int32Array;
  /** How often it is written. */
  readonly copies: Uint32Array;
  /** Index in SIDES. */
  readonly side: Uint8Array;
  /** 1 when the record gave a sample that decodes. */
  readonly sound: Uint8Array;
  /** 1 after filters and deduplication. */
  readonly clean: Uint8Array;
}

/** Decisions on rows of which nothing is known yet: all are errors. */
export function createDecisions(numRows: number, filters: readonly string[]): Decisions {
  return {
    numRows,
    reasons: [ERROR, ...filters, ...OTHER_REASONS],
    reason: new Uint8Array(numRows),
    score: new Float64Array(numRows).fill(Number.NaN),
    parent: new Int32Array(numRows).fill(NONE),
    copies: new Uint32Array(numRows),
    side: new Uint8Array(numRows),
    sound: new Uint8Array(numRows),
    clean: new Uint8Array(numRows),
  };
}

export function codeOf({ reasons }: Decisions, reason: string): number {
  return reasons.indexOf(reason);
}

/** Whether the row belongs to what training may see. Side 0 is the training side. */
export function isTraining({ side, sound }: Decisions, row: number): boolean {
  return side[row] === 0 && sound[row] === 1;
}

/** Take a clean row out. */
export function drop(
  decisions: Decisions,
  row: number,
  why: { readonly code: number; readonly score?: number; readonly parent?: number },
): void {
  decisions.reason[row] = why.code;
  decisions.score[row] = why.score ?? Number.NaN;
  decisions.parent[row] = why.parent ?? NONE;
  decisions.clean[row] = 0;
}
