// What evaluation asks of a model: score a given reply, or write one. No tensors here.
import type { Message, SampleImage } from '../sample/sample.ts';

/** A conversation with its pictures. For scoring it ends with the reply to score. */
export interface ModelRequest {
  /** Decides the random draws of a sampled reply; the same in every run. */
  readonly uid: string;
  readonly messages: readonly Message[];
  readonly images: readonly SampleImage[];
}

/** How a reply is written. `temperature` 0 is greedy. */
export interface Decoding {
  readonly maxNewTokens: number;
  readonly temperature: number;
  /** Default 1: all tokens may be drawn. */
  readonly topP?: number;
  /** Texts that end a reply; they are no part of it. */
  readonly until?: readonly string[];
}

/** Log-probability of a given reply, its end-of-turn token included. Natural logarithm. */
export interface ReplyScore {
  readonly sumLogProb: number;
  readonly numTokens: number;
}

/** A written reply, or why there is none. */
export interface Reply {
  readonly text: string;
  /** It reached `maxNewTokens` before its end. */
  readonly truncated: boolean;
  /** The model's own filter stopped it. */
  readonly refused?: boolean;
  /** No reply came, for this reason; `text` is empty. */
  readonly failure?: string;
}

/**
 * A model under evaluation: our own engine (`local-model.ts`), an endpoint (`endpoint-model.ts`). `P` is
 * what it makes of a request: tokenised, pictures decoded.
 * `prepare` throws a `data` error for a picture or text that cannot be used: the item is skipped.
 */
export interface EvalModel<P = unknown> {
  /** Hash of the weights (or name and revision), part of the identity of every score. */
  readonly identity: string;
  /** Why it cannot answer in this way; undefined when it can. 'score' asks for `score`. */
  cannot(wanted: Decoding | 'score'): string | undefined;
  prepare(request: ModelRequest, purpose: 'score' | 'generate'): Promise<P>;
  /** Scores the reply of each request, in their order. */
  score(requests: readonly P[]): Promise<readonly ReplyScore[]>;
  /** Writes a reply to each request, in any order and as many at once as it likes. */
  write(
    requests: readonly P[],
    decoding: Decoding,
    onReply: (index: number, reply: Reply) => void,
  ): Promise<void>;
}
