// The nearest concepts of pictures: top-K cosine over blocks of a matrix product, so that the table
// of all scores never exists. Knows vectors, no model.
import type { LoadedMatrix, MatrixProduct } from '../embed/embedder.ts';

/** For each query its `k` nearest, best first; equal scores by lower id. */
export interface TopK {
  /** [queries, k]; −1 where there are fewer concepts than k. */
  readonly ids: Int32Array;
  /** [queries, k] dot products, cosines for rows of length 1. */
  readonly scores: Float32Array;
}

export interface ConceptSearch {
  /** @param queries [queries, dim], rows of length 1 */
  search(queries: Float32Array, k: number): TopK;
  free(): void;
}

export interface SearchOptions {
  /** Queries and concepts of one product. The defaults keep the scores at 4 MB, in cache. */
  readonly blockRows?: number;
  readonly blockColumns?: number;
}

/** @param concepts [concepts, dim], rows of length 1 */
export function createConceptSearch(
  concepts: Float32Array,
  dim: number,
  product: MatrixProduct,
  { blockRows = 512, blockColumns = 2048 }: SearchOptions = {},
): ConceptSearch {
  const blocks: LoadedMatrix[] = [];
  for (let at = 0; at < concepts.length; at += blockColumns * dim) {
    blocks.push(product.load(concepts.subarray(at, at + blockColumns * dim), dim));
  }
  return {
    search: (queries, k) => {
      const numQueries = queries.length / dim;
      const best: TopK = {
        ids: new Int32Array(numQueries * k).fill(-1),
        scores: new Float32Array(numQueries * k).fill(Number.NEGATIVE_INFINITY),
      };
      for (let first = 0; first < numQueries; first += blockRows) {
        const left = queries.subarray(first * dim, (first + blockRows) * dim);
        for (const [block, loaded] of blocks.entries()) {
          const scores = loaded.multiply(left);
          merge(best, k, first, left.length / dim, scores, block * blockColumns);
        }
      }
      return best;
    },
    free: () => {
      for (const block of blocks) block.free();
    },
  };
}

/** Takes what is better than the worst of the k so far. `scores` [rows, columns]. */
function merge(
  { ids, scores: best }: TopK,
  k: number,
  firstRow: number,
  numRows: number,
  scores: Float32Array,
  firstId: number,
): void {
  const numColumns = scores.length / numRows;
  for (let row = 0; row < numRows; row++) {
    const start = row * numColumns;
    const end = start + numColumns;
    const base = (firstRow + row) * k;
    const last = base + k - 1;
    let worst = best[last] as number;
    for (let at = start; at < end; at++) {
      // Hardly any score is good enough: pass over four at a time.
      while (
        at + 4 < end &&
        !((scores[at] as number) > worst) &&
        !((scores[at + 1] as number) > worst) &&
        !((scores[at + 2] as number) > worst) &&
        !((scores[at + 3] as number) > worst)
      ) {
        at += 4;
      }
      const score = scores[at] as number;
      if (!(score > worst)) continue;
      let place = last;
      while (place > base && (best[place - 1] as number) < score) {
        best[place] = best[place - 1] as number;
        ids[place] = ids[place - 1] as number;
        place -= 1;
      }
      best[place] = score;
      ids[place] = firstId + at - start;
      worst = best[last] as number;
    }
  }
}
