// What a pack costs to train on: a model of three terms, given or fitted to measured times.

import type { Packs } from '../fit/problem.ts';
import type { Lengths } from '../plan.ts';

/**
 * Time of a pack of samples of n tokens and p patches: attention·Σn² + linear·Σn + vision·Σp², in any
 * unit; only ratios matter.
 */
export interface CostModel {
  readonly attention: number;
  readonly linear: number;
  readonly vision: number;
}

/** Σn², Σn and Σp² over the samples of a pack. */
export type CostSums = readonly [squares: number, tokens: number, patchSquares: number];

/**
 * Forward FLOPs of LLaVA-OneVision-1.5 with Qwen3-8B: causal attention 2·36 layers·4096 wide,
 * 2 FLOPs a weight and token, attention of the tower 4·24 layers·1024 wide.
 */
export const DEFAULT_COST: CostModel = { attention: 294_912, linear: 1.6e10, vision: 98_304 };

export function costOf(model: CostModel, [squares, tokens, patchSquares]: CostSums): number {
  return model.attention * squares + model.linear * tokens + model.vision * patchSquares;
}

/** The cost of every pack. `[packs]` */
export function packCosts(packs: Packs, lengths: Lengths, model: CostModel): Float64Array {
  const costs = new Float64Array(packs.numPacks);
  for (let pack = 0; pack < packs.numPacks; pack += 1) {
    let squares = 0;
    let tokens = 0;
    let patchSquares = 0;
    for (let i = packs.starts[pack] ?? 0; i < (packs.starts[pack + 1] ?? 0); i += 1) {
      const sample = packs.members[i] ?? 0;
      const token = lengths.tokens[sample] ?? 0;
      const patch = lengths.patches[sample] ?? 0;
      squares += token * token;
      tokens += token;
      patchSquares += patch * patch;
    }
    costs[pack] = costOf(model, [squares, tokens, patchSquares]);
  }
  return costs;
}

/**
 * Fits the model to measured packs: least squares with no negative term. Relative errors count, so
 * that short packs weigh as much as long ones.
 *
 * @param times of the packs, above 0.
 */
export function fitCost(sums: readonly CostSums[], times: readonly number[]): CostModel {
  const rows = sums.map((row, i) => row.map((value) => value / (times[i] ?? 1)));
  let best: number[] = [0, 0, 0];
  let least = Number.POSITIVE_INFINITY;
  for (let mask = 1; mask < 8; mask += 1) {
    const used = [0, 1, 2].filter((term) => (mask >> term) % 2 === 1);
    const weights = leastSquares(rows, used);
    if (weights === undefined || weights.some((weight) => weight < 0)) continue;
    const error = rows.reduce((sum, row) => {
      const value = row.reduce((total, x, term) => total + x * (weights[term] ?? 0), 0);
      return sum + (value - 1) ** 2;
    }, 0);
    if (error < least) [best, least] = [weights, error];
  }
  const [attention = 0, linear = 0, vision = 0] = best;
  return { attention, linear, vision };
}

/** Weights of the used terms for which the rows come nearest to 1; the others are 0. */
function leastSquares(rows: readonly (readonly number[])[], used: number[]): number[] | undefined {
  // Scaled columns keep the normal equations well conditioned.
  const scales = used.map((term) => Math.hypot(...rows.map((row) => row[term] ?? 0)));
  if (scales.some((scale) => scale === 0)) return undefined;
  const scaled = rows.map((row) => used.map((term, i) => (row[term] ?? 0) / (scales[i] ?? 1)));
  const system = used.map((_, i) => [
    ...used.map((_, j) => scaled.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
    scaled.reduce((sum, row) => sum + (row[i] ?? 0), 0),
  ]);
  const solution = eliminate(system);
  if (solution === undefined) return undefined;
  const weights = [0, 0, 0];
  used.forEach((term, i) => {
    weights[term] = (solution[i] ?? 0) / (scales[i] ?? 1);
  });
  return weights;
}

/** Solves a small symmetric positive system, the right side in the last column. */
function eliminate(system: number[][]): number[] | undefined {
  const size = system.length;
  for (const [i, pivotRow] of system.entries()) {
    const pivot = pivotRow[i] ?? 0;
    if (pivot < 1e-12) return undefined;
    for (const [j, row] of system.entries()) {
      if (j === i) continue;
      const factor = (row[i] ?? 0) / pivot;
      for (let k = i; k <= size; k += 1) row[k] = (row[k] ?? 0) - factor * (pivotRow[k] ?? 0);
    }
  }
  return system.map((row, i) => (row[size] ?? 0) / (row[i] ?? 1));
}
