// What evaluation asks of a model: score a given reply, or write one. No tensors here.
import type { Message, SampleImage } from '../sample/sample.ts';

/** A conversation with its pictures. For scoring it ends with the reply to score. */
export interface ModelRequest {
  readonly messages: readonly Message[];
  readonly images: readonly SampleImage[];
}

/** How a reply is written. `temperature` 0 is greedy. */
export interface Decoding {
  readonly maxNewTokens: number;
  readonly temperature: number;
}

/** Log-probability of a given reply, its end-of-turn token included. Natural logarithm. */
export interface ReplyScore {
  readonly sumLogProb: number;
  readonly numTokens: number;
}

/** A written reply. `truncated`: it reached `maxNewTokens` before its end. */
export interface Reply {
  readonly text: string;
  readonly truncated: boolean;
}

/** A request made ready (tokenised, picture decoded); its length decides which batch it joins. */
export interface Prepared {
  readonly numTokens: number;
}

/**
 * A model under evaluation. Our own engine implements it in `local-model.ts`; an endpoint can too.
 * `prepare` throws a `data` error for a picture or text that cannot be used: the item is skipped.
 */
export interface EvalModel<P extends Prepared = Prepared> {
  /** Hash of the weights (or name and revision), part of the identity of every score. */
  readonly identity: string;
  /** Largest sum of `numTokens` in one batch. */
  readonly maxBatchTokens: number;
  prepare(request: ModelRequest, purpose: 'score' | 'generate'): Promise<P>;
  score(batch: readonly P[]): Promise<readonly ReplyScore[]>;
  generate(batch: readonly P[], decoding: Decoding): Promise<readonly Reply[]>;
}
