// The matrix product in plain TypeScript: for a laptop without libtorch, a few GFLOP/s a core.
import type { MatrixProduct } from './embedder.ts';

/** left · rightᵀ in tiles of 2 × 4, each held in registers. */
export const PLAIN_PRODUCT: MatrixProduct = {
  name: 'plain',
  load: (right, dim) => {
    const own = Float32Array.from(right);
    const numColumns = own.length / dim;
    return {
      multiply: (left) => {
        const numRows = left.length / dim;
        const out = new Float32Array(numRows * numColumns);
        for (let row = 0; row < numRows; row += 2) {
          for (let column = 0; column < numColumns; column += 4) {
            if (row + 2 <= numRows && column + 4 <= numColumns) {
              tile(left, own, dim, row, column, numColumns, out);
            } else edge(left, own, dim, [row, numRows], [column, numColumns], out);
          }
        }
        return out;
      },
      free: () => undefined,
    };
  },
};

function tile(
  left: Float32Array,
  right: Float32Array,
  dim: number,
  row: number,
  column: number,
  numColumns: number,
  out: Float32Array,
): void {
  const [a0, a1] = [row * dim, (row + 1) * dim];
  const b0 = column * dim;
  const [b1, b2, b3] = [b0 + dim, b0 + 2 * dim, b0 + 3 * dim];
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < dim; i++) {
    const x = left[a0 + i] as number;
    const y = left[a1 + i] as number;
    const [p, q] = [right[b0 + i] as number, right[b1 + i] as number];
    const [r, s] = [right[b2 + i] as number, right[b3 + i] as number];
    s00 += x * p;
    s01 += x * q;
    s02 += x * r;
    s03 += x * s;
    s10 += y * p;
    s11 += y * q;
    s12 += y * r;
    s13 += y * s;
  }
  const at = row * numColumns + column;
  out.set([s00, s01, s02, s03], at);
  out.set([s10, s11, s12, s13], at + numColumns);
}

/** What is left of the table beside whole tiles. */
function edge(
  left: Float32Array,
  right: Float32Array,
  dim: number,
  [row, numRows]: readonly [number, number],
  [column, numColumns]: readonly [number, number],
  out: Float32Array,
): void {
  for (let r = row; r < Math.min(row + 2, numRows); r++) {
    for (let c = column; c < Math.min(column + 4, numColumns); c++) {
      let sum = 0;
      for (let i = 0; i < dim; i++) {
        sum += (left[r * dim + i] as number) * (right[c * dim + i] as number);
      }
      out[r * numColumns + c] = sum;
    }
  }
}
