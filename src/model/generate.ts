// Writing replies: all prompts read at once as segments, then one token a step for each of them
// from the cache. Equal to the full forward up to rounding.
// Shapes: B sequences still being written.

import { OneVisionError } from '../core/errors.ts';
import { varlenAttention } from '../nn/attention.ts';
import { fromArray, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { makeBatch, type Segment } from './batch.ts';
import { KvCache } from './generation/kv-cache.ts';
import { type SamplingOptions, sampleToken } from './generation/sampling.ts';
import { type OneVision, textRope } from './onevision.ts';

export interface GenerateOptions extends Partial<SamplingOptions> {
  /** Longest reply in tokens. */
  readonly maxNewTokens: number;
  /** Ids that end a reply. Default: the config's `<|im_end|>` and `<|endoftext|>`. */
  readonly stopIds?: readonly number[];
  /** Called with each token as it is written, stop ids excluded. */
  readonly onToken?: (prompt: number, id: number) => void;
}

export interface Completion {
  /** Ids written, without the id that stopped. */
  readonly ids: Int32Array;
  /** log p of each id in `ids` under the model (temperature 1). */
  readonly logProbs: Float32Array;
  readonly finish: 'stop' | 'length';
}

/** Slots reserved for replies before the cache grows. */
const FIRST_ROOM = 64;

/** A reply being written. */
interface Writer {
  readonly prompt: number;
  readonly ids: number[];
  readonly logProbs: number[];
  position: number;
  finish: 'stop' | 'length' | undefined;
}

/**
 * Continue each prompt. Prompts may differ in length and hold any number of images.
 * @param prompts segments without targets that end where the reply begins (`encodePrompt`).
 * @returns one completion per prompt, in order.
 * @throws OneVisionError 'data' for an empty prompt or one whose images do not fit.
 */
export function generate(
  model: OneVision,
  prompts: readonly Segment[],
  options: GenerateOptions,
): Completion[] {
  checkPrompts(prompts);
  const stopIds = options.stopIds ?? [model.config.eosTokenId, model.config.padTokenId];
  const writers = prompts.map(({ inputIds }, prompt): Writer => {
    return { prompt, ids: [], logProbs: [], position: inputIds.length, finish: undefined };
  });
  if (prompts.length === 0 || options.maxNewTokens <= 0) return writers.map(complete);
  const take = (active: readonly Writer[], logits: Tensor): void => {
    const [, vocab = 0] = logits.shape;
    const values = logits.toArray();
    for (const [i, writer] of active.entries()) {
      const row = values.subarray(i * vocab, (i + 1) * vocab) as Float32Array;
      advance(writer, row, options, stopIds);
    }
  };
  noGrad(() => {
    const room = Math.min(options.maxNewTokens, FIRST_ROOM);
    using cache = new KvCache(
      prompts.map((prompt) => prompt.inputIds.length),
      room,
    );
    tidy(() => take(writers, prefill(model, prompts, cache)));
    let active = dropFinished(writers, cache);
    while (active.length > 0) {
      const current = active;
      tidy(() => take(current, decode(model, current, cache)));
      active = dropFinished(current, cache);
    }
  });
  return writers.map(complete);
}

/** Read all prompts; logits [B, vocab] after their last tokens. */
function prefill(model: OneVision, prompts: readonly Segment[], cache: KvCache): Tensor {
  const batch = makeBatch(prompts.map(({ inputIds, images }) => ({ inputIds, images })));
  const layout = model.layoutRows(batch);
  const { device } = model;
  const rows = fromArray(layout.rowOfToken, [layout.rowOfToken.length], { device });
  const hidden = model.decoder.forward(model.embed(batch, layout), {
    rope: layout.rope,
    attend: (layer, q, k, v) => {
      cache.fill(layer, ops.indexSelect(k, 0, rows), ops.indexSelect(v, 0, rows));
      return varlenAttention(q, k, v, layout.attention);
    },
  });
  const ends = Int32Array.from(batch.cuSeqlens.subarray(1), (end) => {
    return layout.rowOfToken[end - 1] as number;
  });
  const last = ops.indexSelect(hidden, 0, fromArray(ends, [ends.length], { device }));
  return model.logits(model.decoder.finish(last));
}

/** Read the last token of each reply; logits [B, vocab] after it. */
function decode(model: OneVision, active: readonly Writer[], cache: KvCache): Tensor {
  const { config, device, dtype } = model;
  const { headDim, ropeTheta } = config.text;
  const ids = Int32Array.from(active, (writer) => writer.ids.at(-1) ?? 0);
  const positions = Int32Array.from(active, (writer) => writer.position - 1);
  const embedded = model.decoder.embedding.forward(fromArray(ids, [ids.length], { device }));
  const step = cache.beginStep(embedded);
  const hidden = model.decoder.forward(embedded, {
    rope: textRope(positions, { headDim, ropeTheta, dtype, device }),
    attend: (layer, q, k, v) => cache.attend(layer, q, k, v, step),
  });
  return model.logits(model.decoder.finish(hidden));
}

function advance(
  writer: Writer,
  logits: ArrayLike<number>,
  options: GenerateOptions,
  stopIds: readonly number[],
): void {
  const { temperature = 0, topK = 0, topP = 1, seed = 0 } = options;
  const sampling = { temperature, topK, topP, seed };
  const { id, logProb } = sampleToken(logits, sampling, writer.prompt, writer.ids.length);
  if (stopIds.includes(id)) {
    writer.finish = 'stop';
    return;
  }
  writer.ids.push(id);
  writer.logProbs.push(logProb);
  writer.position += 1;
  options.onToken?.(writer.prompt, id);
  if (writer.ids.length >= options.maxNewTokens) writer.finish = 'length';
}

/** Forget finished sequences, in the cache too, so that no step computes them. */
function dropFinished(writers: readonly Writer[], cache: KvCache): readonly Writer[] {
  const left = writers.flatMap((writer, i) => (writer.finish === undefined ? [i] : []));
  if (left.length === writers.length) return writers;
  if (left.length > 0) cache.select(left);
  return left.map((i) => writers[i] as Writer);
}

function complete({ ids, logProbs, finish }: Writer): Completion {
  return {
    ids: Int32Array.from(ids),
    logProbs: Float32Array.from(logProbs),
    finish: finish ?? 'length',
  };
}

function checkPrompts(prompts: readonly Segment[]): void {
  const empty = prompts.findIndex((prompt) => prompt.inputIds.length === 0);
  if (empty < 0) return;
  throw new OneVisionError('data', `expected tokens in prompt ${empty}, came none`, {
    hint: 'encode prompts with encodePrompt: it opens the assistant turn',
  });
}
