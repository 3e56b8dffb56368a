// From logits to the next token of each sequence, where the logits are: only what may be drawn comes
// to the host. Not the loop around it (generation.ts). Shapes: B sequences, V vocabulary.

import { coin } from '../../core/hash.ts';
import { fromArray, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';

export interface SamplingOptions {
  /** 0 = greedy. */
  readonly temperature: number;
  /** Keep the k most likely tokens; 0 = all. */
  readonly topK: number;
  /** Keep the most likely tokens whose probabilities reach p together; 1 = all. */
  readonly topP: number;
  /**
   * Divide the logit of every token that stands in prompt or reply by this where it is positive,
   * multiply it where it is negative; 1 = off. Keskar et al. 2019.
   */
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export const GREEDY: SamplingOptions = {
  temperature: 0,
  topK: 0,
  topP: 1,
  repetitionPenalty: 1,
  seed: 0,
};

/** What the choice for one sequence depends on, besides its logits. */
export interface Chooser {
  readonly options: SamplingOptions;
  /** Number of the prompt; with the seed and the step it decides the coin. */
  readonly prompt: number;
  readonly step: number;
  /** Ids of the prompt and of what is written; only read for a repetition penalty. */
  readonly seen: () => Iterable<number>;
}

export interface SampledToken {
  readonly id: number;
  /** log p(id) under the untouched distribution (temperature 1, nothing cut, no penalty). */
  readonly logProb: number;
}

/** Candidates fetched at first where all tokens may be drawn. */
const FIRST_CANDIDATES = 256;

/**
 * Choose a token for each row. Penalty, temperature, top-k and top-p apply in this order, as in
 * transformers. The coin is a hash of seed, prompt and step, so a batch of another size or order
 * draws the same.
 * @param logits [B, V].
 */
export function chooseTokens(logits: Tensor, choosers: readonly Chooser[]): SampledToken[] {
  return tidy(() => {
    const wide = logits.dtype === 'float64' ? logits : ops.toDtype(logits, 'float32');
    const ids = choosers.every(isPlainGreedy)
      ? ops.argmax(wide, { dim: -1 }).toNumbers()
      : choosers.map((chooser, row) => tidy(() => chooseOne(ops.select(wide, 0, row), chooser)));
    const chosen = int64(ids, wide.device);
    const scores = ops.gather(wide, 1, ops.unsqueeze(chosen, 1));
    const logProbs = ops.sub(ops.squeeze(scores, 1), ops.logsumexp(wide, -1)).toNumbers();
    return ids.map((id, row) => ({ id, logProb: logProbs[row] as number }));
  });
}

function isPlainGreedy({ options }: Chooser): boolean {
  return options.temperature === 0 && options.repetitionPenalty === 1;
}

function chooseOne(row: Tensor, { options, prompt, step, seen }: Chooser): number {
  return drawToken(row, options, seen, coin(options.seed, 'sample', prompt, step));
}

/** Choose one token by a coin in [0, 1). @param row [V] */
export function drawToken(
  row: Tensor,
  options: SamplingOptions,
  seen: Chooser['seen'],
  uniform: number,
): number {
  const { temperature, repetitionPenalty } = options;
  const scores = repetitionPenalty === 1 ? row : penalise(row, seen(), repetitionPenalty);
  return temperature === 0 ? ops.argmax(scores).item() : draw(scores, options, uniform);
}

function penalise(row: Tensor, seen: Iterable<number>, penalty: number): Tensor {
  const ids = int64([...new Set(seen)], row.device);
  const picked = ops.indexSelect(row, 0, ids);
  const lower = ops.mulScalar(picked, penalty);
  const changed = ops.where(ops.ltScalar(picked, 0), lower, ops.divScalar(picked, penalty));
  return ops.indexCopy(row, 0, ids, changed);
}

/** Inverse transform over the tokens that top-k and top-p leave, most likely first. */
function draw(scores: Tensor, options: SamplingOptions, uniform: number): number {
  const { temperature, topK, topP } = options;
  const vocab = scores.numel;
  const limit = topK > 0 ? Math.min(topK, vocab) : vocab;
  let count = topK > 0 ? limit : Math.min(FIRST_CANDIDATES, limit);
  for (;;) {
    const { ids, values } = mostLikely(scores, count);
    const max = values[0] as number;
    const weights = values.map((value) => Math.exp((value - max) / temperature));
    const total = count === limit ? sum(weights) : massOf(scores, max, temperature);
    const place = pick(weights, { total, topP, uniform, isAll: count === limit });
    if (place !== undefined) return ids[place] as number;
    count = Math.min(limit, 16 * count);
  }
}

/** Σ exp((score − max) / temperature) over the whole vocabulary. */
function massOf(scores: Tensor, max: number, temperature: number): number {
  return tidy(() => {
    const scaled = ops.divScalar(scores, temperature);
    return Math.exp(ops.logsumexp(scaled, -1).item() - max / temperature);
  });
}

interface Draw {
  /** Weight of all tokens, fetched or not. */
  readonly total: number;
  readonly topP: number;
  readonly uniform: number;
  /** No token is left that was not fetched. */
  readonly isAll: boolean;
}

/** The drawn place among descending weights; undefined where those fetched do not settle it. */
function pick(
  weights: readonly number[],
  { total, topP, uniform, isAll }: Draw,
): number | undefined {
  let kept = 0;
  let count = 0;
  while (count < weights.length && (count === 0 || kept < topP * total)) {
    kept += weights[count++] as number;
  }
  const isCut = isAll || kept >= topP * total;
  if (!isCut && topP < 1) return undefined;
  let left = uniform * (isCut ? kept : total);
  for (let i = 0; i < count; i++) {
    left -= weights[i] as number;
    if (left < 0) return i;
  }
  return isCut ? count - 1 : undefined;
}

/** Ids and values in descending order; equal values in order of their ids. */
function mostLikely(scores: Tensor, count: number): { ids: number[]; values: number[] } {
  const [values, ids] = ops.topk(scores, count).map((tensor) => tensor.toNumbers());
  const order = Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => (values?.[b] ?? 0) - (values?.[a] ?? 0) || (ids?.[a] ?? 0) - (ids?.[b] ?? 0),
  );
  return {
    ids: order.map((i) => ids?.[i] as number),
    values: order.map((i) => values?.[i] as number),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function int64(values: readonly number[], device: string): Tensor {
  return fromArray(BigInt64Array.from(values, BigInt), [values.length], { device });
}
