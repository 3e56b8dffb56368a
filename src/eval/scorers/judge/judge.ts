// A judge: a pinned model that is asked in text, recorded once and replayed ever after.

import { OneVisionError } from '../../../core/errors.ts';
import { type AnswerCache, requestKey } from '../../../endpoint/answers.ts';

/** One question to the judge. The template's name and version are part of what is recorded. */
export interface JudgeRequest {
  readonly template: (typeof JUDGE_TEMPLATES)[number];
  readonly prompt: string;
  readonly maxTokens: number;
}

/** The templates there are; each changes its number with every word. */
export const JUDGE_TEMPLATES = [
  'charxiv/2',
  'mathvista/2',
  'mmbench/1',
  'vl-rewardbench/1',
] as const;

/** Sends the prompt, greedy, to a model and returns its text; throws when there is none. */
export type AskJudge = (request: JudgeRequest, key: string) => Promise<string>;

export interface Judge {
  /** Model name and revision: part of the score's identity. */
  readonly model: string;
  /** The reply to a request, or undefined where it failed or was not recorded. */
  ask(request: JudgeRequest, attempt?: number): Promise<string | undefined>;
  readonly figures: JudgeFigures;
}

export interface JudgeFigures {
  asked: number;
  replayed: number;
  failed: number;
}

export interface JudgeOptions {
  /** A pinned name, `gpt-4o-2024-11-20`; a floating one makes scores that cannot be repeated. */
  readonly model: string;
  /** The record; see `openCache`. */
  readonly record: AnswerCache;
  /** Absent: only what is recorded is answered (offline replay). */
  readonly ask?: AskJudge | undefined;
}

/**
 * A reply is stored under model, template, prompt and attempt before it is used, so that a killed run
 * asks nothing twice and a replay needs no network. A failure is no verdict and is not stored.
 *
 * @throws OneVisionError `usage` for a judge without a name
 */
export function createJudge({ model, record, ask }: JudgeOptions): Judge {
  if (model.trim() === '') {
    throw new OneVisionError('usage', 'Judge: expected the name of a model, came an empty one.', {
      hint: 'give the full name with its date, for example gpt-4o-2024-11-20',
    });
  }
  const figures = { asked: 0, replayed: 0, failed: 0 };
  return {
    model,
    figures,
    async ask(request, attempt = 0) {
      const { template, prompt, maxTokens } = request;
      const key = requestKey('judge/1', model, template, prompt, maxTokens, attempt);
      const known = record.get(key);
      if (known !== undefined) {
        figures.replayed += 1;
        return known.text;
      }
      const text = await answered(ask, request, key);
      if (text === undefined) {
        figures.failed += 1;
        return undefined;
      }
      figures.asked += 1;
      record.put(key, { text, finish: 'stop', promptTokens: 0, completionTokens: 0 });
      return text;
    },
  };
}

/** A failed request is no verdict; a stop by the user, or an error of ours, goes on. */
async function answered(
  ask: AskJudge | undefined,
  request: JudgeRequest,
  key: string,
): Promise<string | undefined> {
  if (ask === undefined) return undefined;
  try {
    return await ask(request, key);
  } catch (error) {
    if (error instanceof OneVisionError) throw error;
    return undefined;
  }
}
