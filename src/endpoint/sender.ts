// Requests to one endpoint: those under way are bounded by the gate, failed ones are tried again, an
// answer that was paid for is kept, and equal questions at the same time are one request.
import { coin } from '../core/hash.ts';
import type { Answer, AnswerCache } from './answers.ts';
import { ask, type EndpointConfig, type Question, RequestFailure } from './chat.ts';
import { createGate, type Gate } from './gate.ts';

/** An endpoint and how it is asked; the defaults are the same for all who ask. */
export interface Endpoint {
  /** Address up to `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** Longest wait for an answer. Default two minutes. */
  readonly timeoutMs?: number | undefined;
  /** Most requests under way at once; the gate finds out how many it bears. Default 32. */
  readonly maxConcurrency?: number | undefined;
  /** Tries again of a request that got no answer. Default 6. */
  readonly maxRetries?: number | undefined;
  /** First pause between tries, in milliseconds; it doubles. Default 500. */
  readonly backoffMs?: number | undefined;
}

export interface SenderFigures {
  /** Requests that may be under way now. */
  readonly limit: number;
  numSent: number;
  numCached: number;
  numRetries: number;
  /** Of new answers only: what this run pays for. */
  promptTokens: number;
  completionTokens: number;
}

export interface Sender {
  readonly figures: SenderFigures;
  /**
   * @param key names the question by its content
   * @param question called only when a request is really sent
   * @throws RequestFailure when no try was answered, OneVisionError when the endpoint refuses
   * everything (key, model, address).
   */
  obtain(key: string, question: () => Promise<Question>): Promise<Answer>;
}

const MAX_BACKOFF_MS = 60_000;

export function createSender(endpoint: Endpoint, cache: AnswerCache): Sender {
  const { url, model, apiKey, timeoutMs = 120_000, maxRetries = 6, backoffMs = 500 } = endpoint;
  const config = { url, model, apiKey, timeoutMs };
  const gate = createGate({ max: endpoint.maxConcurrency ?? 32 });
  const figures: SenderFigures = {
    get limit() {
      return gate.limit;
    },
    numSent: 0,
    numCached: 0,
    numRetries: 0,
    promptTokens: 0,
    completionTokens: 0,
  };
  const underWay = new Map<string, Promise<Answer>>();
  const tryAll = async (key: string, question: Question): Promise<Answer> => {
    for (let retry = 0; ; retry += 1) {
      try {
        figures.numSent += 1;
        const answer = await send(gate, question, config);
        cache.put(key, answer);
        figures.promptTokens += answer.promptTokens;
        figures.completionTokens += answer.completionTokens;
        return answer;
      } catch (error) {
        const isFinal = !(error instanceof RequestFailure) || error.kind === 'refused';
        if (isFinal || retry >= maxRetries) throw error;
        figures.numRetries += 1;
        await pause(Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** retry), key, retry);
      }
    }
  };
  const obtain = async (key: string, question: () => Promise<Question>): Promise<Answer> => {
    const known = cache.get(key);
    if (known !== undefined) {
      figures.numCached += 1;
      return known;
    }
    const job = underWay.get(key) ?? question().then((asked) => tryAll(key, asked));
    underWay.set(key, job);
    return await job.finally(() => underWay.delete(key));
  };
  return { figures, obtain };
}

async function send(gate: Gate, question: Question, config: EndpointConfig): Promise<Answer> {
  await gate.enter();
  try {
    const answer = await ask(question, config);
    gate.leave('good');
    return answer;
  } catch (error) {
    const isOverload = error instanceof RequestFailure && error.kind === 'overload';
    gate.leave(isOverload ? 'overload' : 'other', isOverload ? error.waitMs : 0);
    throw error;
  }
}

/** Waits between half and the whole of a time, so that many do not come back at once. */
async function pause(ms: number, key: string, retry: number): Promise<void> {
  const spread = 0.5 + 0.5 * coin(key, retry, 'backoff');
  await new Promise((resolve) => setTimeout(resolve, ms * spread));
}
