// How likely a model finds given text. Replies to one prompt read it, and its pictures, once.
// Shapes: q [rows, heads, dim]; k, v [rows, kvHeads, dim].

import type { Patches } from '../image/patchify.ts';
import { varlenAttention } from '../nn/attention.ts';
import { crossEntropyEach } from '../nn/loss.ts';
import { fromArray, keep, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { type Batch, makeBatch, type Segment, targetPositions } from './batch.ts';
import { type OneVision, textRope } from './onevision.ts';

/** Rows of logits held at a time. */
const ROWS_AT_ONCE = 1024;
/** Keys that replies look back on at a time, for each token of prompts read at a time. */
const KEYS_PER_TOKEN = 8;

/** log p of every target of a batch, in order of position: [targets]. */
export function tokenLogProbs(model: OneVision, batch: Batch): Float32Array {
  const positions = targetPositions(batch.targets);
  const targets = positions.map((position) => batch.targets[position] as number);
  if (targets.length === 0) return new Float32Array();
  return noGrad(() => tidy(() => logProbsAt(model, model.featuresAt(batch, positions), targets)));
}

/** log p of the target of each row: hidden states [n, hidden] → [n]. */
function logProbsAt(model: OneVision, hidden: Tensor, targets: Int32Array): Float32Array {
  const out = new Float32Array(targets.length);
  for (let start = 0; start < targets.length; start += ROWS_AT_ONCE) {
    const ids = BigInt64Array.from(targets.subarray(start, start + ROWS_AT_ONCE), BigInt);
    const losses = tidy(() => {
      const logits = model.logits(ops.narrow(hidden, 0, start, ids.length));
      return crossEntropyEach(logits, fromArray(ids, [ids.length], { device: model.device }));
    });
    const values = losses.toArray() as Float32Array;
    for (const [i, loss] of values.entries()) out[start + i] = -loss;
  }
  return out;
}

/** A reply to a prompt of at least one token, the last of them text. */
export interface GivenReply {
  readonly prompt: Pick<Segment, 'inputIds' | 'images'>;
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
  readonly prompt: GivenReply['prompt'];
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

/** What layers keep of prompts, but for the last token of each. */
interface ReadPrompts extends Disposable {
  readonly layers: readonly { readonly keys: Tensor; readonly values: Tensor }[];
  /** Of each prompt, the row of each token. */
  readonly rows: readonly Int32Array[];
}

function readPrompts(model: OneVision, prompts: readonly GivenReply['prompt'][]): ReadPrompts {
  const batch = makeBatch(
    prompts.map(({ inputIds, images }) => ({ inputIds: inputIds.subarray(0, -1), images })),
  );
  const layers: { keys: Tensor; values: Tensor }[] = [];
  const rowOfToken = tidy(() => {
    const layout = model.layoutRows(batch);
    model.decoder.forward(model.embed(batch, layout), {
      rope: layout.rope,
      read: fromArray(new Int32Array(), [0], { device: model.device }),
      attend: (layer, q, k, v) => {
        layers[layer] = { keys: keep(k), values: keep(v) };
        return varlenAttention(q, k, v, layout.attention);
      },
    });
    return layout.rowOfToken;
  });
  return {
    layers,
    rows: prompts.map((_, i) => rowOfToken.subarray(batch.cuSeqlens[i], batch.cuSeqlens[i + 1])),
    [Symbol.dispose]: () => {
      for (const { keys, values } of layers) for (const x of [keys, values]) x.dispose();
    },
  };
}

/** A reply that goes on where its prompt ends: it reads the prompt's last token and all but its own. */
interface Fork {
  readonly index: number;
  /** Place of its prompt among those read. */
  readonly place: number;
  /** Tokens of the prompt that were read. */
  readonly shared: number;
  readonly ids: Int32Array;
  readonly reply: Int32Array;
}

function forkOf({ prompt: { inputIds }, reply }: GivenReply, index: number, place: number): Fork {
  const ids = Int32Array.of(inputIds.at(-1) ?? 0, ...reply.subarray(0, -1));
  return { index, place, shared: inputIds.length - 1, ids, reply };
}

/** log p of the tokens of all forks, one after another. */
function scoreForks(model: OneVision, read: ReadPrompts, forks: readonly Fork[]): Float32Array {
  const { device, dtype, decoder, config } = model;
  const { headDim, ropeTheta } = config.text;
  const groups = groupForks(forks, read, device);
  const ids = joined(forks, ({ ids }) => ids);
  const positions = joined(forks, ({ ids, shared }) => ids.map((_, i) => shared + i));
  const hidden = decoder.forward(decoder.embed(fromArray(ids, [ids.length], { device })), {
    rope: textRope(positions, { headDim, ropeTheta, dtype, device }),
    attend: (layer, q, k, v) => {
      const { keys, values } = read.layers[layer] as ReadPrompts['layers'][number];
      return ops.cat(groups.map((group) => attendBack(group, q, [keys, k], [values, v])));
    },
  });
  return logProbsAt(
    model,
    hidden,
    joined(forks, ({ reply }) => reply),
  );
}

function joined(forks: readonly Fork[], arrayOf: (fork: Fork) => Int32Array): Int32Array {
  return Int32Array.from(forks.flatMap((fork) => [...arrayOf(fork)]));
}

/** Forks that share as many tokens and have as many of their own. */
interface ForkGroup {
  /** Its first row. */
  readonly offset: number;
  readonly count: number;
  readonly shared: number;
  readonly length: number;
  /** [count · shared] rows of the prompts. */
  readonly promptRows: Tensor;
  /** [length, shared + length] whether a row sees a key. */
  readonly mask: Tensor;
}

function groupForks(forks: readonly Fork[], { rows }: ReadPrompts, device: string): ForkGroup[] {
  const alike = Map.groupBy(forks, ({ shared, reply }) => `${shared} ${reply.length}`);
  let offset = 0;
  return [...alike.values()].map((members) => {
    const [{ shared, reply }] = members as [Fork];
    const { length } = reply;
    const places = members.flatMap(({ place }) => [...(rows[place] as Int32Array)]);
    const all = ops.ones([length, shared + length], { dtype: 'bool', device });
    const group = {
      offset,
      count: members.length,
      shared,
      length,
      promptRows: fromArray(Int32Array.from(places), [places.length], { device }),
      mask: ops.tril(all, { diagonal: shared }),
    };
    offset += members.length * length;
    return group;
  });
}

/** Own rows of a group attend to their prompt and to themselves. */
function attendBack(
  { offset, count, shared, length, promptRows, mask }: ForkGroup,
  q: Tensor,
  keys: readonly [prompts: Tensor, own: Tensor],
  values: readonly [prompts: Tensor, own: Tensor],
): Tensor {
  const [, heads = 1, dim = 1] = q.shape;
  const kvHeads = keys[1].shape[1] ?? 1;
  const own = (x: Tensor, numHeads: number): Tensor =>
    ops.view(ops.narrow(x, 0, offset, count * length), [count, length, numHeads, dim]);
  const behind = ([prompts, x]: readonly [Tensor, Tensor]): Tensor => {
    const before = ops.indexSelect(prompts, 0, promptRows);
    const rows = ops.view(before, [count, shared, kvHeads, dim]);
    return ops.transpose(ops.cat([rows, own(x, kvHeads)], { dim: 1 }), 1, 2);
  };
  const queries = ops.transpose(own(q, heads), 1, 2);
  const out = ops.scaledDotProductAttention(queries, behind(keys), behind(values), {
    attnMask: mask,
    enableGqa: heads !== kvHeads,
  });
  return ops.reshape(ops.transpose(out, 1, 2), [count * length, heads * dim]);
}
