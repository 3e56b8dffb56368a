// Runs prepared requests in batches of like length. Results come back in the order of the requests.
import type { Prepared } from './eval-model.ts';

/**
 * Sorts by length, longest first, and cuts into batches whose padded size
 * (requests × longest) stays within `maxTokens`; a longer request is a batch of its own.
 */
export function batchByLength<P extends Prepared>(
  requests: readonly P[],
  maxTokens: number,
): number[][] {
  const order = requests.map((_, index) => index);
  const lengthOf = (index: number): number => requests[index]?.numTokens ?? 0;
  order.sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const batches: number[][] = [];
  let current: number[] = [];
  for (const index of order) {
    const longest = lengthOf(current[0] ?? index);
    if (current.length > 0 && (current.length + 1) * longest > maxTokens) {
      batches.push(current);
      current = [];
    }
    current.push(index);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** Calls `run` batch by batch; the result of request `i` is at place `i`. */
export async function runBatched<P extends Prepared, R>(
  requests: readonly P[],
  maxTokens: number,
  run: (batch: readonly P[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const results: R[] = [];
  for (const batch of batchByLength(requests, maxTokens)) {
    const answers = await run(batch.map((index) => requests[index] as P));
    batch.forEach((index, place) => {
      results[index] = answers[place] as R;
    });
  }
  return results;
}
