// VL-RewardBench: which of two answers a reply judges better, and what the data say.
import type { Finding, Rule } from './scorer.ts';

const VERDICT = /answer\s*(\p{Nd}+)\s*is\s*(?:the\s*)?(?:slightly\s*)?better/giu;

/** lmms-eval: the last verdict behind "Overall Judgment" or "Therefore"; else a judge is asked. */
export const rewardRule: Rule = (text, { answers }) => {
  const plain = text.trim().replaceAll('\n', '').replaceAll('*', '');
  const opening = /overall judgment|therefore/iu.exec(plain);
  const rest = opening === null ? '' : plain.slice(opening.index + opening[0].length);
  const parsed = verdicts(rest).at(-1);
  return parsed === undefined ? { score: 0, parsed, needsJudge: true } : compare(parsed, answers);
};

/** Ours: the same, or the one verdict of a reply without those words; no judge, no draw. */
export const strictRewardRule: Rule = (text, item) => {
  const stated = rewardRule(text, item);
  if (stated.needsJudge !== true) return stated;
  const found = new Set(verdicts(text.replaceAll('*', '')));
  const [only] = found;
  if (found.size !== 1 || only === undefined) return { score: 0, parsed: undefined };
  return compare(only, item.answers);
};

function verdicts(text: string): string[] {
  return [...text.matchAll(VERDICT)].map((match) => String(Number(match[1])));
}

function compare(parsed: string, answers: readonly string[]): Finding {
  return { score: answers.includes(parsed) ? 1 : 0, parsed };
}

const GROUPS: Readonly<Record<string, string>> = {
  hallucination: 'hallucination',
  rlhf: 'hallucination',
  rlaif: 'hallucination',
  mathverse: 'reasoning',
  mmmu: 'reasoning',
};

/**
 * How a row is shown and scored: the two responses change places where their lengths in code points
 * add up to an odd number, so that no place is favoured.
 */
export function rewardItem(row: {
  readonly id: string;
  readonly response: readonly [string, string];
  readonly humanRanking: readonly number[];
}): { responses: readonly [string, string]; answer: '1' | '2'; group: string } {
  const [first, second] = row.response;
  const swapped = ([...first].length + [...second].length) % 2 === 1;
  const better = row.humanRanking.indexOf(swapped ? 1 : 0);
  const source = (row.id.split('-')[0] ?? '').split('_')[0]?.toLowerCase() ?? '';
  return {
    responses: swapped ? [second, first] : [first, second],
    answer: better === 0 ? '1' : '2',
    group: GROUPS[source] ?? 'general',
  };
}
