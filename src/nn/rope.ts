// Rotary position embeddings, half-split (NeoX) form, for positions on a line and on a grid.
// Shapes: angles [rows, dim/2]; tables [rows, 1, dim]; x [rows, heads, dim].

import type { Tensor } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';

/** Cosines, and sines with the sign of the half-split rotation built in. Both [rows, 1, dim]. */
export interface RopeTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** inv[j] = base^(−2j/dim) for j < dim/2, in the float32 arithmetic of the reference. */
export function inverseFrequencies(dim: number, base: number): Float32Array {
  return Float32Array.from({ length: dim / 2 }, (_, j) =>
    Math.fround(1 / Math.fround(base ** Math.fround((2 * j) / dim))),
  );
}

/**
 * Angles of 1-D positions: position · inv[j]. Su et al. 2021.
 * @returns float32 [positions, dim/2], row-major.
 */
export function lineAngles(positions: Int32Array, dim: number, base: number): Float32Array {
  const inverse = inverseFrequencies(dim, base);
  const half = inverse.length;
  const out = new Float32Array(positions.length * half);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i] as number;
    for (let j = 0; j < half; j++) out[i * half + j] = position * (inverse[j] as number);
  }
  return out;
}

/**
 * Angles of patches on grids: [y · inv ‖ x · inv] with inv over dim/2, patches in merge-block
 * order (y div m, x div m, y mod m, x mod m). Frames repeat the pattern; time has no angle.
 * @param grids t, h, w for each image; h and w multiples of `mergeSize`.
 * @returns float32 [patches, dim/2], row-major.
 */
export function gridAngles(
  grids: Int32Array,
  mergeSize: number,
  dim: number,
  base = 10000,
): Float32Array {
  const inverse = inverseFrequencies(dim / 2, base);
  const quarter = inverse.length;
  let numPatches = 0;
  for (let i = 0; i < grids.length; i += 3) numPatches += product(grids, i);
  const out = new Float32Array(numPatches * 2 * quarter);
  let offset = 0;
  const put = (coordinate: number): void => {
    for (let j = 0; j < quarter; j++) out[offset + j] = coordinate * (inverse[j] as number);
    offset += quarter;
  };
  for (let i = 0; i < grids.length; i += 3) {
    const frame = mergeBlockOrder(grids[i + 1] as number, grids[i + 2] as number, mergeSize);
    for (let t = 0; t < (grids[i] as number); t++) for (const coordinate of frame) put(coordinate);
  }
  return out;
}

function product(grids: Int32Array, at: number): number {
  return (grids[at] as number) * (grids[at + 1] as number) * (grids[at + 2] as number);
}

/** y, x, y, x, … of one frame in merge-block order. */
function mergeBlockOrder(height: number, width: number, m: number): Int32Array {
  const out = new Int32Array(2 * height * width);
  let offset = 0;
  for (let blockY = 0; blockY < height; blockY += m) {
    for (let blockX = 0; blockX < width; blockX += m) {
      for (let inner = 0; inner < m * m; inner++) {
        out[offset] = blockY + Math.floor(inner / m);
        out[offset + 1] = blockX + (inner % m);
        offset += 2;
      }
    }
  }
  return out;
}

/** Tables from angles [rows, dim/2]; differentiable, for the class token's learned angles. */
export function ropeTable(angles: Tensor): RopeTable {
  const cos = ops.cos(angles);
  const sin = ops.sin(angles);
  return {
    cos: ops.unsqueeze(ops.cat([cos, cos], { dim: -1 }), 1),
    sin: ops.unsqueeze(ops.cat([ops.neg(sin), sin], { dim: -1 }), 1),
  };
}

/**
 * x ⊙ cos + rot(x) ⊙ sin with rot([a ‖ b]) = [b ‖ a]: the minus sign sits in the table. One pass
 * with its own backward (native/rope.cc). Half-precision inputs are rotated in float32.
 */
export function applyRope(x: Tensor, { cos, sin }: RopeTable): Tensor {
  return ops.rope(x, cos, sin);
}
