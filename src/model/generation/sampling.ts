// From logits to the next token, on the host. Not the loop around it (generate.ts).

import { coin } from '../../core/hash.ts';

export interface SamplingOptions {
  /** 0 = greedy. */
  readonly temperature: number;
  /** Keep the k most likely tokens; 0 = all. */
  readonly topK: number;
  /** Keep the most likely tokens whose probabilities reach p together; 1 = all. */
  readonly topP: number;
  readonly seed: number;
}

export interface SampledToken {
  readonly id: number;
  /** log p(id) under the untouched distribution (temperature 1, nothing cut). */
  readonly logProb: number;
}

/**
 * Draw one token. The coin is a hash of seed, prompt and step, so a batch of another size or order
 * draws the same.
 * @param logits [vocab].
 */
export function sampleToken(
  logits: ArrayLike<number>,
  options: SamplingOptions,
  prompt: number,
  step: number,
): SampledToken {
  const best = argmax(logits);
  const normaliser = logSumExp(logits, logits[best] as number, 1);
  const logProbOf = (id: number): number => (logits[id] as number) - normaliser;
  if (options.temperature === 0) return { id: best, logProb: logProbOf(best) };
  const id = draw(logits, options, coin(options.seed, 'sample', prompt, step));
  return { id, logProb: logProbOf(id) };
}

function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) {
    if ((logits[i] as number) > (logits[best] as number)) best = i;
  }
  return best;
}

function logSumExp(logits: ArrayLike<number>, max: number, temperature: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    sum += Math.exp(((logits[i] as number) - max) / temperature);
  }
  return max / temperature + Math.log(sum);
}

/** Inverse transform over the tokens that top-k and top-p leave, most likely first. */
function draw(
  logits: ArrayLike<number>,
  { temperature, topK, topP }: SamplingOptions,
  uniform: number,
): number {
  const order = Int32Array.from({ length: logits.length }, (_, i) => i);
  order.sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  const ranked = topK > 0 ? order.subarray(0, topK) : order;
  const first = ranked[0] as number;
  const max = logits[first] as number;
  const weights = Float64Array.from(ranked, (id) =>
    Math.exp(((logits[id] as number) - max) / temperature),
  );
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = 0;
  let count = 0;
  while (count < weights.length && (count === 0 || kept < topP * all)) {
    kept += weights[count++] as number;
  }
  let left = uniform * kept;
  for (let i = 0; i < count; i++) {
    left -= weights[i] as number;
    if (left < 0) return ranked[i] as number;
  }
  return ranked[count - 1] as number;
}
