// How the segments of a batch lie in memory: sorted by length into groups that attention can see
// as [count, length, …] views. Planned once per batch on the host, shared by all layers.

import { OneVisionError } from '../core/errors.ts';

/** `count` segments laid out one after another from row `offset`, each `length` rows long. */
export interface SegmentGroup {
  readonly offset: number;
  readonly count: number;
  readonly length: number;
}

/** The layout of a batch. Rows are what a model computes; tokens are what the batch holds. */
export interface SegmentPlan {
  readonly numTokens: number;
  /** Rows with padding. */
  readonly numRows: number;
  readonly groups: readonly SegmentGroup[];
  /** [numTokens] row of each token. */
  readonly rowOfToken: Int32Array;
  /** [numRows] token of each row, −1 for padding. */
  readonly tokenOfRow: Int32Array;
}

export interface SegmentPlanOptions {
  /**
   * How many padding rows one more group is worth. 0 = exact groups, the only choice where
   * padding would be seen (attention that is not causal). Right padding is invisible to causal
   * queries.
   */
  readonly groupCost: number;
}

/**
 * Sort segments by length and cut the sorted list into groups so that
 * Σ padding rows + groupCost · groups is least (dynamic programme over the distinct lengths).
 * @param cuSeqlens [segments + 1] first token of each segment, then the number of tokens.
 * @throws OneVisionError 'data' unless it starts at 0 and never falls.
 */
export function planSegments(cuSeqlens: Int32Array, options: SegmentPlanOptions): SegmentPlan {
  const segments = sortedSegments(cuSeqlens);
  const numTokens = cuSeqlens.at(-1) ?? 0;
  const tops = groupLengths(
    segments.map((segment) => segment.length),
    options.groupCost,
  );
  const numRows = tops.reduce((sum, length) => sum + length, 0);
  const rowOfToken = new Int32Array(numTokens);
  const tokenOfRow = new Int32Array(numRows).fill(-1);
  const groups: { offset: number; count: number; length: number }[] = [];
  let row = 0;
  for (const [index, { start, length }] of segments.entries()) {
    const top = tops[index] as number;
    const last = groups.at(-1);
    if (last?.length === top) last.count += 1;
    else groups.push({ offset: row, count: 1, length: top });
    for (let i = 0; i < length; i++) {
      rowOfToken[start + i] = row + i;
      tokenOfRow[row + i] = start + i;
    }
    row += top;
  }
  return { numTokens, numRows, groups, rowOfToken, tokenOfRow };
}

/** [segments + 1] 0 and the running sums of the lengths: the `cuSeqlens` of segments end to end. */
export function cumulativeLengths(lengths: readonly number[]): Int32Array {
  const out = new Int32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) out[i + 1] = (out[i] as number) + length;
  return out;
}

interface PlacedSegment {
  readonly start: number;
  readonly length: number;
}

function sortedSegments(cuSeqlens: Int32Array): PlacedSegment[] {
  const segments: PlacedSegment[] = [];
  for (let i = 0; i + 1 < cuSeqlens.length; i++) {
    const start = cuSeqlens[i] as number;
    const length = (cuSeqlens[i + 1] as number) - start;
    if (length < 0) throw badBounds(cuSeqlens);
    if (length > 0) segments.push({ start, length });
  }
  if ((cuSeqlens[0] ?? -1) !== 0) throw badBounds(cuSeqlens);
  return segments.sort((a, b) => a.length - b.length || a.start - b.start);
}

function badBounds(cuSeqlens: Int32Array): OneVisionError {
  const shown = [...cuSeqlens.subarray(0, 8)].join(', ');
  return new OneVisionError(
    'data',
    `expected segment bounds that start at 0 and never fall, came [${shown}, …]`,
    { hint: 'cuSeqlens holds the first token of each segment and then the number of tokens' },
  );
}

/** For each segment of an ascending list, the length of its group. */
function groupLengths(lengths: readonly number[], groupCost: number): number[] {
  const n = lengths.length;
  const best = new Float64Array(n + 1);
  const from = new Int32Array(n + 1);
  const sums = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) sums[i + 1] = (sums[i] as number) + (lengths[i] as number);
  for (let end = 1; end <= n; end++) {
    best[end] = Number.POSITIVE_INFINITY;
    const top = lengths[end - 1] as number;
    if (end < n && lengths[end] === top) continue; // a group takes all segments of one length
    for (let start = end - 1; start >= 0; start--) {
      const padding = top * (end - start) - ((sums[end] as number) - (sums[start] as number));
      if (padding > groupCost * n) break;
      const cost = (best[start] as number) + padding + groupCost;
      if (cost < (best[end] as number)) {
        best[end] = cost;
        from[end] = start;
      }
    }
  }
  const out = new Array<number>(n);
  for (let end = n; end > 0; end = from[end] as number) {
    out.fill(lengths[end - 1] as number, from[end] as number, end);
  }
  return out;
}
