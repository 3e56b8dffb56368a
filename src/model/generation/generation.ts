// Replies being written: prompts come in at any time, all read at once without padding; then one
// token a step for each of them from the cache. Equal to the full forward up to rounding.
// Shapes: B replies still being written.

import { OneVisionError } from '../../core/errors.ts';
import { varlenAttention } from '../../nn/attention.ts';
import { fromArray, noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import { makeBatch, type Segment } from '../batch.ts';
import { type OneVision, textRope } from '../onevision.ts';
import { KvCache } from './kv-cache.ts';
import { chooseTokens, GREEDY, type SamplingOptions } from './sampling.ts';

export interface ReplyOptions extends Partial<SamplingOptions> {
  /** Longest reply in tokens, at least 1. */
  readonly maxNewTokens: number;
  /** Number that decides the random draws; default: prompts are counted from 0. */
  readonly prompt?: number;
  /** Ids that end a reply. Default: the config's `<|im_end|>` and `<|endoftext|>`. */
  readonly stopIds?: readonly number[];
  /** Called with each token as it is written, stop ids excluded; true ends the reply after it. */
  readonly onToken?: (prompt: number, id: number, logProb: number) => unknown;
}

/** A reply; it grows until `finish` is set. */
export interface Reply {
  /** Number of its prompt, counted from 0 unless given; decides its random draws. */
  readonly prompt: number;
  /** Ids written, without the id that stopped. */
  readonly ids: readonly number[];
  /** log p of each id under the model (temperature 1, nothing cut). */
  readonly logProbs: readonly number[];
  readonly finish: 'stop' | 'length' | undefined;
}

interface Writer extends Reply {
  readonly ids: number[];
  readonly logProbs: number[];
  readonly promptIds: Int32Array;
  readonly options: ReplyOptions;
  readonly sampling: SamplingOptions;
  readonly stopIds: readonly number[];
  finish: 'stop' | 'length' | undefined;
}

/** Slots reserved for replies before the cache grows. */
const FIRST_ROOM = 64;

/** All replies that a model is writing. `using` frees its cache; not the model. */
export class Generation {
  readonly #model: OneVision;
  readonly #cache = new KvCache();
  /** In the order of the cache. */
  #active: Writer[] = [];
  #numPrompts = 0;

  constructor(model: OneVision) {
    this.#model = model;
  }

  /** Replies that are not finished. */
  get numActive(): number {
    return this.#active.length;
  }

  /**
   * Read prompts and write the first token of each reply.
   * @param prompts segments without targets that end where the reply begins (`encodePrompt`).
   * @param options of each prompt, or the same for all.
   * @throws OneVisionError 'data' for an empty prompt or one whose images do not fit.
   */
  add(prompts: readonly Segment[], options: ReplyOptions | readonly ReplyOptions[]): Reply[] {
    checkPrompts(prompts);
    const writers = prompts.map((prompt, i) => {
      return this.#newWriter(prompt, 'length' in options ? (options[i] as ReplyOptions) : options);
    });
    if (writers.length === 0) return [];
    noGrad(() =>
      tidy(() => {
        const { logits, order } = this.#prefill(prompts, writers);
        const inOrder = order.map((i) => writers[i] as Writer);
        this.#active.push(...inOrder);
        advance(inOrder, logits);
      }),
    );
    this.#dropFinished();
    return writers;
  }

  /** Write one token of each active reply. */
  step(): void {
    if (this.#active.length === 0) return;
    noGrad(() => tidy(() => advance(this.#active, this.#decode())));
    this.#dropFinished();
  }

  /** End a reply where it is; its `finish` becomes 'stop'. */
  cancel(reply: Reply): void {
    const writer = this.#active.find((active) => active === reply);
    if (writer !== undefined) writer.finish = 'stop';
    this.#dropFinished();
  }

  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
    this.#active = [];
  }

  #newWriter({ inputIds }: Segment, options: ReplyOptions): Writer {
    const { eosTokenId, padTokenId } = this.#model.config;
    return {
      prompt: options.prompt ?? this.#numPrompts++,
      ids: [],
      logProbs: [],
      promptIds: inputIds,
      options,
      sampling: { ...GREEDY, ...definedOf(options) },
      stopIds: options.stopIds ?? [eosTokenId, padTokenId],
      finish: undefined,
    };
  }

  /** Logits [n, vocab] after the last tokens of the prompts, and which prompt each row is of. */
  #prefill(
    prompts: readonly Segment[],
    writers: readonly Writer[],
  ): { logits: Tensor; order: number[] } {
    const model = this.#model;
    const batch = makeBatch(prompts.map(({ inputIds, images }) => ({ inputIds, images })));
    const layout = model.layoutRows(batch, { groupCost: 0 });
    const longest = Math.max(...writers.map(({ options }) => options.maxNewTokens));
    this.#cache.open(layout.attention.groups, Math.min(longest, FIRST_ROOM));
    const rowOfEnd = Array.from(batch.cuSeqlens.subarray(1), (end) => {
      return layout.rowOfToken[end - 1] as number;
    });
    const ends = Int32Array.from(rowOfEnd).sort();
    const order = Array.from(ends, (row) => rowOfEnd.indexOf(row));
    const hidden = model.decoder.forward(model.embed(batch, layout), {
      rope: layout.rope,
      read: fromArray(ends, [ends.length], { device: model.device }),
      attend: (layer, q, k, v) => {
        this.#cache.fill(layer, k, v);
        return varlenAttention(q, k, v, layout.attention);
      },
    });
    return { logits: model.logits(hidden), order };
  }

  /** Read the last token of each reply; logits [B, vocab] after it. */
  #decode(): Tensor {
    const { config, device, dtype, decoder } = this.#model;
    const { headDim, ropeTheta } = config.text;
    const active = this.#active;
    const ids = Int32Array.from(active, (writer) => writer.ids.at(-1) ?? 0);
    const positions = Int32Array.from(
      active,
      (writer) => writer.promptIds.length + writer.ids.length - 1,
    );
    this.#cache.beginStep();
    const embedded = decoder.embed(fromArray(ids, [ids.length], { device }));
    const hidden = decoder.forward(embedded, {
      rope: textRope(positions, { headDim, ropeTheta, dtype, device }),
      attend: (layer, q, k, v) => this.#cache.attend(layer, q, k, v),
    });
    return this.#model.logits(hidden);
  }

  /** Forget finished replies, in the cache too, so that no step computes them. */
  #dropFinished(): void {
    const left = this.#active.flatMap(({ finish }, i) => (finish === undefined ? [i] : []));
    if (left.length === this.#active.length) return;
    this.#cache.keepOnly(left);
    this.#active = left.map((i) => this.#active[i] as Writer);
  }
}

/** Append a token to each reply. @param logits [writers, vocab] */
function advance(writers: readonly Writer[], logits: Tensor): void {
  const tokens = chooseTokens(
    logits,
    writers.map(({ sampling, prompt, ids, promptIds }) => {
      const seen = (): Iterable<number> => [...promptIds, ...ids];
      return { options: sampling, prompt, step: ids.length, seen };
    }),
  );
  for (const [i, writer] of writers.entries()) {
    const { id, logProb } = tokens[i] as { id: number; logProb: number };
    if (writer.stopIds.includes(id)) {
      writer.finish = 'stop';
      continue;
    }
    writer.ids.push(id);
    writer.logProbs.push(logProb);
    const { onToken, maxNewTokens } = writer.options;
    if (onToken?.(writer.prompt, id, logProb) === true) writer.finish = 'stop';
    else if (writer.ids.length >= maxNewTokens) writer.finish = 'length';
  }
}

/** Without the keys whose value is undefined. */
function definedOf(options: ReplyOptions): Partial<SamplingOptions> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function checkPrompts(prompts: readonly Segment[]): void {
  const empty = prompts.findIndex((prompt) => prompt.inputIds.length === 0);
  if (empty < 0) return;
  throw new OneVisionError('data', `expected tokens in prompt ${empty}, came none`, {
    hint: 'encode prompts with encodePrompt: it opens the assistant turn',
  });
}
