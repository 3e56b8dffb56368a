// Requests to one endpoint: those under way are bounded by the gate, failed ones are tried again, an
// answer that was paid for is kept, and equal questions at the same time are one request.
import { coin } from '../core/hash.ts';
import type { Answer, AnswerCache } from './answers.ts';
import { ask, type EndpointConfig, type Question, RequestFailure } from './chat.ts';
import { createGate, type Gate } from './gate.ts';

export interface SenderOptions {
  readonly endpoint: EndpointConfig;
  readonly cache: AnswerCache;
  readonly maxConcurrency: number;
  /** Tries of a request that gets no answer. */
  readonly maxRetries: number;
  /** First pause between tries, in milliseconds; it doubles. */
  readonly backoffMs: number;
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

export function createSender(options: SenderOptions): Sender {
  const { endpoint, cache, maxRetries, backoffMs } = options;
  const gate = createGate({ max: options.maxConcurrency });
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
        const answer = await send(gate, question, endpoint);
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

async function send(gate: Gate, question: Question, endpoint: EndpointConfig): Promise<Answer> {
  await gate.enter();
  try {
    const answer = await ask(question, endpoint);
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
