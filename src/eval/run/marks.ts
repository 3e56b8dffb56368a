// From stored replies to what each profile makes of them. Pure: nothing is asked here.
import type { ReplyScorer } from '../benchmark.ts';
import type { ItemResult, StoredMark } from '../outcome.ts';
import { type Mark, noReply, PROFILES, type Profile, scoreReply } from '../scorers/scorer.ts';
import { scoringOf } from './scoring-of.ts';

/** The row under one profile, with the marks of all of them. */
export function markRow(row: ItemResult, scorer: ReplyScorer, profile: Profile): ItemResult {
  const { reply } = row;
  if (reply === undefined) return row;
  const marks = Object.fromEntries(
    PROFILES.map((name) => [name, storedMark(markOf(row, scorer, name))]),
  );
  const { score, outcome, parsed } = marks[profile] as StoredMark;
  const isHidden = outcome === 'skipped' && row.outcome !== 'skipped';
  const reason = isHidden ? 'the answer is not public: export a submission' : row.reason;
  return { ...row, outcome, score, parsed, reason, reply: { ...reply, marks } };
}

/** The mark of a row: a reply that never came has no credit in any profile. */
export function markOf(row: ItemResult, scorer: ReplyScorer, profile: Profile): Mark {
  const { reply } = row;
  if (row.outcome === 'skipped' || reply === undefined) return noReply('skipped');
  if (reply.failure !== undefined) return noReply('model-error');
  if (reply.item.answers.length === 0) return noReply('skipped');
  const mark = scoreReply(
    scoringOf(scorer.scoring),
    { text: row.prediction, truncated: reply.truncated },
    reply.item,
    profile,
  );
  return reply.refused === true ? { ...mark, score: 0, outcome: 'refused' } : mark;
}

function storedMark({ score, outcome, parsed, faults }: Mark): StoredMark {
  return { score, outcome, parsed, ...(faults.length === 0 ? {} : { faults }) };
}

/** The rows that a profile counts. */
export function countedRows(
  rows: readonly ItemResult[],
  { counted }: ReplyScorer,
  profile: Profile,
): ItemResult[] {
  const wanted = Object.entries(counted?.[profile] ?? {});
  return rows.filter(({ reply }) =>
    wanted.every(([column, value]) => reply?.item.columns?.[column] === value),
  );
}
