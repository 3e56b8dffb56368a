// Replies that no rule can score go to a judge: a model behind an endpoint that says whether a reply
// states the accepted answer. Prompt and model are pinned; verdicts are kept, so a run without the
// endpoint gives the same numbers, and a failure is a judge error, never a score.
import * as z from 'zod';
import { mapConcurrent } from '../../core/pool.ts';
import { openCache, requestKey } from '../../endpoint/answers.ts';
import { type Question, RequestFailure } from '../../endpoint/chat.ts';
import { createSender, type Sender } from '../../endpoint/sender.ts';
import type { ItemResult, StoredVerdict } from '../outcome.ts';

export interface JudgeOptions {
  readonly model: string;
  /** File of verdicts. */
  readonly cache: string;
  /** Address up to `/v1`; without it only verdicts that are known are given. */
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxConcurrency?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly backoffMs?: number | undefined;
}

export interface Judge {
  /** Model and prompt: part of the identity of every score that it had a hand in. */
  readonly identity: string;
  verdict(row: ItemResult): Promise<StoredVerdict>;
  [Symbol.dispose](): void;
}

const PROMPT_VERSION = 1;
const SYSTEM =
  'You compare a reply with the accepted answers to a question. Say whether the reply states one of ' +
  'the accepted answers: the same title, name, number or statement, whatever its wording, case or ' +
  'punctuation. A reply that states several answers, or none, is wrong. Reply with one JSON object ' +
  'and nothing else: {"answer": <what the reply states>, "score": 0 or 1}.';
const MAX_TOKENS = 256;
const DEFAULT_TIMEOUT_MS = 60_000;

const verdictSchema = z.object({
  answer: z.union([z.string(), z.number(), z.null()]).optional(),
  score: z.union([z.literal(0), z.literal(1)]),
});

export function openJudge(options: JudgeOptions): Judge {
  const { model, url, apiKey, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const cache = openCache(options.cache);
  const sender: Sender | undefined =
    url === undefined
      ? undefined
      : createSender({
          endpoint: { url, model, apiKey, timeoutMs },
          cache,
          maxConcurrency: options.maxConcurrency ?? 16,
          maxRetries: options.maxRetries ?? 6,
          backoffMs: options.backoffMs ?? 500,
        });
  return {
    identity: requestKey('judge', PROMPT_VERSION, SYSTEM, model).slice(0, 16),
    async verdict(row) {
      const user = questionOf(row);
      const key = requestKey('judge/1', model, SYSTEM, user);
      try {
        const known = cache.get(key);
        if (known === undefined && sender === undefined) {
          return { failure: 'no verdict is kept, and no endpoint is given to ask' };
        }
        const answer = known ?? (await sender?.obtain(key, async () => toAsk(user)));
        return readVerdict(answer?.text ?? '');
      } catch (error) {
        if (error instanceof RequestFailure) return { failure: error.message };
        throw error;
      }
    },
    [Symbol.dispose]: () => cache.close(),
  };
}

function questionOf({ prediction, reply, answer }: ItemResult): string {
  const { question = '', options = [], answers = [answer] } = reply?.item ?? {};
  const choices = options.map((option, place) => `${String.fromCharCode(65 + place)}. ${option}`);
  return [
    `Question: ${question}`,
    ...(choices.length > 0 ? [`Options:\n${choices.join('\n')}`] : []),
    `Accepted answers: ${JSON.stringify(answers)}`,
    `Reply: ${prediction}`,
  ].join('\n\n');
}

function toAsk(user: string): Question {
  const messages = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: user },
  ] as const;
  return { messages, maxTokens: MAX_TOKENS, temperature: 0, seed: 42 };
}

/** The first JSON object of the text, fenced or not. */
export function readVerdict(text: string): StoredVerdict {
  const json = /\{[\s\S]*?\}/.exec(text)?.[0];
  try {
    const parsed = verdictSchema.safeParse(JSON.parse(json ?? ''));
    if (parsed.success) {
      const { answer, score } = parsed.data;
      return {
        score,
        ...(answer === undefined || answer === null ? {} : { parsed: String(answer) }),
      };
    }
  } catch {
    // Not JSON: said below.
  }
  return { failure: `the judge gave no verdict: ${text.slice(0, 120)}` };
}

/** Verdicts on the rows that need one, put beside their replies. */
export async function judgeRows(
  rows: readonly ItemResult[],
  needs: (row: ItemResult) => boolean,
  judge: Judge,
): Promise<ItemResult[]> {
  const withVerdict = async (row: ItemResult): Promise<ItemResult> => {
    const { reply } = row;
    if (reply === undefined || !needs(row)) return row;
    if (reply.verdict !== undefined && reply.verdict.failure === undefined) return row;
    return { ...row, reply: { ...reply, verdict: await judge.verdict(row) } };
  };
  const judged: ItemResult[] = [];
  for await (const row of mapConcurrent(rows, 64, withVerdict)) judged.push(row);
  return judged;
}
