// Replies to prompts, as ids or as text. The loop over a model is in generation/.

import { TextStream } from '../text/text-stream.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Segment } from './batch.ts';
import { Generation, type ReplyOptions } from './generation/generation.ts';
import type { OneVision } from './onevision.ts';

export type GenerateOptions = ReplyOptions;

export interface Completion {
  /** Ids written, without the id that stopped. */
  readonly ids: Int32Array;
  /** log p of each id in `ids` under the model (temperature 1, nothing cut). */
  readonly logProbs: Float32Array;
  readonly finish: 'stop' | 'length';
}

/**
 * Continue each prompt. Prompts may differ in length and hold any number of images and videos.
 * @param prompts segments without targets that end where the reply begins (`encodePrompt`).
 * @returns one completion per prompt, in order.
 * @throws OneVisionError 'data' for an empty prompt or one whose images do not fit.
 */
export function generate(
  model: OneVision,
  prompts: readonly Segment[],
  options: GenerateOptions,
): Completion[] {
  if (options.maxNewTokens <= 0) return prompts.map(() => complete([], [], 'length'));
  using generation = new Generation(model);
  const replies = generation.add(prompts, options);
  while (generation.numActive > 0) generation.step();
  return replies.map(({ ids, logProbs, finish }) => complete(ids, logProbs, finish ?? 'length'));
}

function complete(
  ids: readonly number[],
  logProbs: readonly number[],
  finish: Completion['finish'],
): Completion {
  return { ids: Int32Array.from(ids), logProbs: Float32Array.from(logProbs), finish };
}

export interface GenerateTextOptions extends Omit<GenerateOptions, 'onToken'> {
  /** Texts that end a reply, wherever token borders lie; they are not part of it. */
  readonly stop?: readonly string[];
  /** Called with each piece of text as soon as it is certain. */
  readonly onText?: (prompt: number, text: string) => void;
}

export interface TextCompletion extends Completion {
  /** Without control tokens and without the stop text; `ids` end with the token that completed it. */
  readonly text: string;
}

/** Continue each prompt and decode the replies as they grow. @throws as `generate`. */
export function generateText(
  model: OneVision,
  tokenizer: Tokenizer,
  prompts: readonly Segment[],
  options: GenerateTextOptions,
): TextCompletion[] {
  const { stop = [], onText, ...rest } = options;
  const streams = prompts.map(() => new TextStream(tokenizer, stop));
  const emit = (prompt: number, piece: string): void => {
    if (piece !== '') onText?.(prompt, piece);
  };
  const completions = generate(model, prompts, {
    ...rest,
    onToken: (prompt, id) => {
      const stream = streams[prompt] as TextStream;
      emit(prompt, stream.push(id));
      return stream.isStopped;
    },
  });
  return completions.map((completion, prompt) => {
    const stream = streams[prompt] as TextStream;
    emit(prompt, stream.end());
    return { ...completion, text: stream.text };
  });
}
