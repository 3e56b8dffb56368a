// Replies that no rule can read go to a judge behind an endpoint. Model and prompts are pinned; what it
// says is kept, so a run without the endpoint gives the same numbers, and a failure is a judge error.
import { type AnswerCache, openCache, requestKey } from '../../endpoint/answers.ts';
import { createSender, type Endpoint } from '../../endpoint/sender.ts';
import type { ReplyScorer } from '../benchmark.ts';
import type { ItemResult, StoredReply, StoredVerdict } from '../outcome.ts';
import { type AskJudge, createJudge, JUDGE_TEMPLATES, type Judge } from '../scorers/judge/judge.ts';
import { judgeMarks } from '../scorers/judge/judge-marks.ts';
import type { Mark } from '../scorers/scorer.ts';

export interface JudgeOptions extends Omit<Endpoint, 'url'> {
  /** File of verdicts. */
  readonly cache: string;
  /** Address up to `/v1`; without it only verdicts that are known are given. */
  readonly url?: string | undefined;
}

export interface OpenJudge extends Judge {
  /** Model and prompts: part of the identity of every score that it had a hand in. */
  readonly identity: string;
  [Symbol.dispose](): void;
}

const CONCURRENCY = 64;

export function openJudge(options: JudgeOptions): OpenJudge {
  const { model } = options;
  const record = openCache(options.cache);
  const judge = createJudge({ model, record, ask: askEndpoint(options, record) });
  return {
    ...judge,
    identity: requestKey('judge', ...JUDGE_TEMPLATES, model).slice(0, 16),
    [Symbol.dispose]: () => record.close(),
  };
}

function askEndpoint({ url, ...options }: JudgeOptions, cache: AnswerCache): AskJudge | undefined {
  if (url === undefined) return undefined;
  const sender = createSender({ ...options, url }, cache);
  return async ({ prompt, maxTokens }, key) => {
    const messages = [{ role: 'user', content: prompt }] as const;
    const answer = await sender.obtain(key, async () => ({
      messages,
      maxTokens,
      temperature: 0,
      seed: 42,
    }));
    return answer.text;
  };
}

/** Verdicts on the rows that need one, put beside their replies. */
export async function judgeRows(
  rows: readonly ItemResult[],
  { scoring }: ReplyScorer,
  needs: (row: ItemResult) => boolean,
  judge: Judge,
): Promise<ItemResult[]> {
  const isOpen = ({ verdict }: StoredReply): boolean => verdict?.score === undefined;
  const open = rows.flatMap((row, place) =>
    row.reply !== undefined && needs(row) && isOpen(row.reply)
      ? [{ place, item: row.reply.item, text: row.prediction }]
      : [],
  );
  // The profile says only what a failure counts, which is decided when the row is marked.
  const marks = await judgeMarks(scoring, open, 'official', judge, CONCURRENCY);
  const verdicts = new Map(open.map(({ place }, index) => [place, verdictOf(marks[index])]));
  return rows.map((row, place) => {
    const verdict = verdicts.get(place);
    if (verdict === undefined || row.reply === undefined) return row;
    return { ...row, reply: { ...row.reply, verdict } };
  });
}

function verdictOf(mark: Mark | undefined): StoredVerdict {
  if (mark === undefined || mark.outcome === 'judge-error') {
    return { failure: 'the judge gave no verdict' };
  }
  const { score, parsed, faults } = mark;
  return {
    score: score === 1 ? 1 : 0,
    ...(parsed === undefined ? {} : { parsed }),
    ...(faults.length === 0 ? {} : { faults: [...faults] }),
  };
}
