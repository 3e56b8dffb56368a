// One chat completion from an OpenAI-compatible endpoint, with every way in which it can fail told
// apart: try again, slow down, give this request up, or give up altogether.
import * as z from 'zod';
import { OneVisionError } from '../core/errors.ts';
import type { Answer } from './answers.ts';

export interface EndpointConfig {
  /** Address up to `/v1`. */
  readonly url: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  readonly timeoutMs: number;
}

/** A piece of a message; pictures are `data:image/…;base64,…`. */
export type ChatPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } };

export interface EndpointMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly ChatPart[];
}

/** What is asked, and how the answer is to be written. */
export interface Question {
  readonly messages: readonly EndpointMessage[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP?: number | undefined;
  /** Texts that end the answer. */
  readonly stop?: readonly string[] | undefined;
  /** Tells tries of one question apart. */
  readonly seed: number;
}

/** A request that gave no answer. */
export class RequestFailure extends Error {
  readonly kind: 'overload' | 'retry' | 'refused';
  readonly waitMs: number;
  constructor(kind: RequestFailure['kind'], message: string, waitMs = 0, cause?: unknown) {
    super(message, { cause });
    this.name = 'RequestFailure';
    this.kind = kind;
    this.waitMs = waitMs;
  }
}

const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_WAIT_MS = 60_000;

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullable() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).partial().nullish(),
});

/**
 * Ask once.
 * @throws RequestFailure for what may go better next time or concerns this request alone,
 * OneVisionError 'usage' when the endpoint refuses key, model or address.
 */
export async function ask(question: Question, config: EndpointConfig): Promise<Answer> {
  const { status, headers, body } = await post(question, config);
  if (status === 401 || status === 403 || status === 404) {
    throw new OneVisionError('usage', `Expected ${config.url} to answer, got ${status}: ${body}`, {
      hint: 'check --endpoint, --model and the variable with the key',
    });
  }
  const what = `the endpoint answered ${status}: ${body.slice(0, 200)}`;
  if (status === 429 || status === 503 || status === 529) {
    throw new RequestFailure('overload', what, retryAfterMs(headers));
  }
  if (status >= 500 || status === 408) throw new RequestFailure('retry', what);
  if (status !== 200) throw new RequestFailure('refused', what);
  return readAnswer(body);
}

function readAnswer(body: string): Answer {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new RequestFailure(
      'retry',
      'the endpoint answered with something else than JSON',
      0,
      cause,
    );
  }
  const parsed = completionSchema.safeParse(value);
  const choice = parsed.data?.choices[0];
  if (choice === undefined) {
    throw new RequestFailure('retry', 'the endpoint answered with another JSON than a completion');
  }
  return {
    text: choice.message.content ?? '',
    finish: choice.finish_reason ?? 'stop',
    promptTokens: parsed.data?.usage?.prompt_tokens ?? 0,
    completionTokens: parsed.data?.usage?.completion_tokens ?? 0,
  };
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function post(question: Question, config: EndpointConfig): Promise<Reply> {
  const { url, apiKey, timeoutMs } = config;
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(payload(question, config)),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error', // the key and the picture go to the address that was given, no further
    });
    return { status: response.status, headers: response.headers, body: await readBody(response) };
  } catch (error) {
    if (error instanceof RequestFailure) throw error;
    const isSlow = error instanceof Error && error.name === 'TimeoutError';
    const what = isSlow ? `no answer within ${timeoutMs} ms` : `no answer: ${rootMessage(error)}`;
    throw new RequestFailure(isSlow ? 'overload' : 'retry', what, 0, error);
  }
}

function payload(question: Question, { model }: EndpointConfig): object {
  const { messages, maxTokens, temperature, topP, stop, seed } = question;
  return { model, messages, max_tokens: maxTokens, temperature, top_p: topP, stop, seed };
}

async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let numBytes = 0;
  for await (const part of response.body ?? []) {
    numBytes += part.byteLength;
    if (numBytes > MAX_ANSWER_BYTES) {
      throw new RequestFailure('refused', `an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Seconds or a date. */
function retryAfterMs(headers: Headers): number {
  const value = headers.get('retry-after');
  if (value === null) return 0;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(MAX_WAIT_MS, Math.max(0, ms)) : 0;
}

function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : rootMessage(error.cause);
}
