// How likely a model finds given replies. Those to one prompt read it, and its pictures, once.

import type { Patches } from '../../image/patchify.ts';
import { noGrad, tidy } from '../../tensor/index.ts';
import type { OneVision } from '../onevision.ts';
import { type Fork, type Prompt, readPrompts, scoreForks } from './forks.ts';

/** Keys that replies look back on at a time, for each token of prompts read at a time. */
const KEYS_PER_TOKEN = 8;

/** A reply to a prompt of at least one token, the last of them text. */
export interface GivenReply {
  readonly prompt: Prompt;
  /** [n] its tokens; each of them is scored. */
  readonly reply: Int32Array;
}

/**
 * Σ log p (natural logarithm) over the tokens of each reply, in the order given. Prompts of the same
 * tokens and the same picture objects are one.
 * @param maxTokens of different prompts read at a time; a longer prompt is read alone
 */
export function scoreReplies(
  model: OneVision,
  given: readonly GivenReply[],
  maxTokens: number,
): number[] {
  const sums = given.map(() => 0);
  const prompts = differentPrompts(given);
  prompts.sort((a, b) => b.prompt.inputIds.length - a.prompt.inputIds.length);
  noGrad(() => {
    for (const some of chunks(prompts, maxTokens, ({ prompt }) => prompt.inputIds.length)) {
      using read = readPrompts(
        model,
        some.map(({ prompt }) => prompt),
      );
      const forks = some.flatMap(({ replies }, place) => {
        return replies.map((index) => forkOf(given[index] as GivenReply, index, place));
      });
      forks.sort((a, b) => a.shared - b.shared || a.reply.length - b.reply.length);
      const keysOf = ({ shared, reply }: Fork): number => shared + reply.length;
      for (const part of chunks(forks, KEYS_PER_TOKEN * maxTokens, keysOf)) {
        let row = 0;
        const logProbs = tidy(() => scoreForks(model, read, part));
        for (const { index, reply } of part) {
          sums[index] = logProbs.subarray(row, row + reply.length).reduce((sum, x) => sum + x, 0);
          row += reply.length;
        }
      }
    }
  });
  return sums;
}

interface PromptReplies {
  readonly prompt: Prompt;
  /** Places of its replies in the list. */
  readonly replies: number[];
}

function differentPrompts(given: readonly GivenReply[]): PromptReplies[] {
  const numbers = new Map<Patches, number>();
  const prompts = new Map<string, PromptReplies>();
  for (const [index, { prompt, reply }] of given.entries()) {
    if (reply.length === 0) continue;
    for (const image of prompt.images) numbers.set(image, numbers.get(image) ?? numbers.size);
    const key = `${prompt.images.map((image) => numbers.get(image))} ${prompt.inputIds}`;
    const known = prompts.get(key);
    if (known === undefined) prompts.set(key, { prompt, replies: [index] });
    else known.replies.push(index);
  }
  return [...prompts.values()];
}

/** Runs of items whose sizes sum to `most` or less; a larger item is alone. */
function* chunks<T>(
  items: readonly T[],
  most: number,
  sizeOf: (item: T) => number,
): Generator<readonly T[]> {
  let start = 0;
  let sum = 0;
  for (const [i, item] of items.entries()) {
    sum += sizeOf(item);
    if (sum > most && i > start) {
      yield items.slice(start, i);
      start = i;
      sum = sizeOf(item);
    }
  }
  if (start < items.length) yield items.slice(start);
}

function forkOf({ prompt: { inputIds }, reply }: GivenReply, index: number, place: number): Fork {
  const ids = Int32Array.of(inputIds.at(-1) ?? 0, ...reply.subarray(0, -1));
  return { index, place, shared: inputIds.length - 1, ids, reply };
}
