// From a picture to a valid caption: cache first, then the endpoint through the gate, with retries;
// an answer that is no caption is asked for again with another seed.
import { coin } from '../../core/hash.ts';
import { type Answer, type AnswerCache, requestKey } from './cache.ts';
import { ask, type EndpointConfig, type Question, RequestFailure } from './endpoint.ts';
import { createGate, type Gate } from './gate.ts';
import type { Prompt } from './prompts.ts';

export interface CaptionerOptions {
  readonly endpoint: EndpointConfig;
  readonly cache: AnswerCache;
  readonly maxConcurrency: number;
  /** Tries of a request that gets no answer. */
  readonly maxRetries: number;
  /** Tries of a question whose answers are no captions. */
  readonly maxAttempts: number;
  /** First pause between tries, in milliseconds; it doubles. */
  readonly backoffMs: number;
  /** Why an answer is no caption. */
  check(answer: Answer, language: string): string | undefined;
}

export interface CaptionRequest {
  readonly prompt: Prompt;
  /** Names the content of the picture as it is sent. */
  readonly imageHash: string;
  /** The picture as a `data:` address; called only when a request is really sent. */
  load(): Promise<string>;
}

/** What came of a request. Tokens are those of all answers that it used, cached or new. */
export interface CaptionOutcome {
  readonly text?: string;
  /** Why there is no text: the last answer's fault, or the endpoint's. */
  readonly reason?: string;
  /** Whether the endpoint gave no answer at all. */
  readonly isError: boolean;
  readonly attempt: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface CaptionerFigures {
  readonly limit: number;
  numSent: number;
  numCached: number;
  numRetries: number;
  /** Of new answers only: what this run pays for. */
  promptTokens: number;
  completionTokens: number;
}

export interface Captioner {
  readonly figures: CaptionerFigures;
  /** @throws OneVisionError when the endpoint refuses everything (key, model, address). */
  caption(request: CaptionRequest): Promise<CaptionOutcome>;
}

const MAX_BACKOFF_MS = 60_000;

export function createCaptioner(options: CaptionerOptions): Captioner {
  const gate = createGate({ max: options.maxConcurrency });
  const figures: CaptionerFigures = {
    get limit() {
      return gate.limit;
    },
    numSent: 0,
    numCached: 0,
    numRetries: 0,
    promptTokens: 0,
    completionTokens: 0,
  };
  const obtain = createSender(options, gate, figures);
  const { model, maxTokens, temperature } = options.endpoint;
  const caption = async ({ prompt, imageHash, load }: CaptionRequest): Promise<CaptionOutcome> => {
    const { system, user, language } = prompt;
    const used = { promptTokens: 0, completionTokens: 0 };
    let reason = '';
    for (let attempt = 0; attempt < options.maxAttempts; attempt += 1) {
      const key = requestKey(model, maxTokens, temperature, system, user, imageHash, attempt);
      try {
        const question = async () => ({ system, user, attempt, image: await load() });
        const answer = await obtain(key, question);
        used.promptTokens += answer.promptTokens;
        used.completionTokens += answer.completionTokens;
        const fault = options.check(answer, language);
        if (fault === undefined) {
          return { text: answer.text.trim(), isError: false, attempt, ...used };
        }
        reason = fault;
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
        return { reason: error.message, isError: true, attempt, ...used };
      }
    }
    return { reason, isError: false, attempt: options.maxAttempts - 1, ...used };
  };
  return { figures, caption };
}

type Sender = (key: string, question: () => Promise<Question>) => Promise<Answer>;

/** Answers by key: known ones from the cache, one request for those who ask at the same time. */
function createSender(
  { endpoint, cache, maxRetries, backoffMs }: CaptionerOptions,
  gate: Gate,
  figures: CaptionerFigures,
): Sender {
  const underWay = new Map<string, Promise<Answer>>();
  const send = async (question: Question): Promise<Answer> => {
    await gate.enter();
    figures.numSent += 1;
    try {
      const answer = await ask(question, endpoint);
      gate.leave('good');
      return answer;
    } catch (error) {
      const isOverload = error instanceof RequestFailure && error.kind === 'overload';
      gate.leave(isOverload ? 'overload' : 'other', isOverload ? error.waitMs : 0);
      throw error;
    }
  };
  const obtain = async (key: string, question: Question): Promise<Answer> => {
    for (let retry = 0; ; retry += 1) {
      try {
        const answer = await send(question);
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
  return async (key, question) => {
    const known = cache.get(key);
    if (known !== undefined) {
      figures.numCached += 1;
      return known;
    }
    const job = underWay.get(key) ?? question().then((asked) => obtain(key, asked));
    underWay.set(key, job);
    return await job.finally(() => underWay.delete(key));
  };
}

/** Waits between half and the whole of a time, so that many do not come back at once. */
async function pause(ms: number, key: string, retry: number): Promise<void> {
  const spread = 0.5 + 0.5 * coin(key, retry, 'backoff');
  await new Promise((resolve) => setTimeout(resolve, ms * spread));
}
