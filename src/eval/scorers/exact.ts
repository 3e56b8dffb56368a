// Scores a written reply against the answer: equal in normal form, or not. No judge, no fallback.
import type { ExactScorer } from '../benchmark.ts';
import type { Reply } from '../eval-model.ts';
import type { Verdict } from '../outcome.ts';
import { normalise } from './normalise.ts';

/**
 * A truncated reply is `truncated` even where its beginning would match; a reply without a normal
 * form, or outside the closed list of answers, is `unparsed`; else it is `correct` or `wrong`.
 */
export function scoreExact(scorer: ExactScorer, answer: string, reply: Reply): Verdict {
  const prediction = reply.text;
  if (reply.truncated) return { outcome: 'truncated', prediction };
  const said = normalise(reply.text, scorer.normaliser);
  const allowed = scorer.answers?.map((text) => normalise(text, scorer.normaliser));
  if (said === undefined || (allowed !== undefined && !allowed.includes(said))) {
    return { outcome: 'unparsed', prediction };
  }
  const right = said === normalise(answer, scorer.normaliser);
  return { outcome: right ? 'correct' : 'wrong', prediction };
}
