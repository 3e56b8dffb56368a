// From stored replies to what each profile makes of them. Pure: nothing is asked here.
import type { ReplyScorer } from '../benchmark.ts';
import type { ItemResult, StoredMark, StoredVerdict } from '../outcome.ts';
import { type Mark, noReply, PROFILES, type Profile, scoreReply } from '../scorers/scorer.ts';
import { SCORINGS } from '../scorers/scorings.ts';

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
    SCORINGS[scorer.scoring],
    { text: row.prediction, truncated: reply.truncated },
    reply.item,
    profile,
  );
  if (reply.refused === true) return { ...mark, score: 0, outcome: 'refused' };
  return mark.needsJudge ? judgedMark(mark, reply.verdict, scorer, profile) : mark;
}

/** Without a verdict a benchmark that is judged has a judge error; a leftover of a rule stays one. */
function judgedMark(
  mark: Mark,
  verdict: StoredVerdict | undefined,
  { scoring }: ReplyScorer,
  profile: Profile,
): Mark {
  if (verdict?.score !== undefined) {
    const { score, parsed } = verdict;
    const isDrawn = verdict.faults?.includes('random-fallback') === true;
    if (isDrawn)
      return { ...mark, score, parsed, outcome: 'unparsed', faults: ['random-fallback'] };
    return { ...mark, score, parsed, outcome: score === 1 ? 'correct' : 'wrong' };
  }
  if (SCORINGS[scoring].family !== 'judge') return mark;
  if (!profile.startsWith('lmms')) return noReply('judge-error');
  // lmms-eval counts a failed judge as -1 in its mean.
  return { ...noReply('judge-error'), score: -1, faults: ['judge-failure-counts'] };
}

/** Some profile would ask a judge about this row. */
export function needsJudge(row: ItemResult, scorer: ReplyScorer): boolean {
  const { reply } = row;
  const isAsked = reply !== undefined && row.outcome !== 'skipped' && reply.failure === undefined;
  if (!isAsked || reply.refused === true || reply.item.answers.length === 0) return false;
  const written = { text: row.prediction, truncated: reply.truncated };
  const scoring = SCORINGS[scorer.scoring];
  return PROFILES.some((profile) => scoreReply(scoring, written, reply.item, profile).needsJudge);
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
