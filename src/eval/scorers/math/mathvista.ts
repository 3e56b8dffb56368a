// MathVista: a reply that is the answer as it stands, else a judge extracts it; then text equality.

import { letterOf } from '../letters/letter.ts';
import { editDistance, float, floatText, integer, round, strip } from '../python.ts';
import type { AnsweredItem, Fault, Finding, Rule } from '../scorer.ts';

export const mathvistaRule: Rule = (text, item) => {
  const quick = quickExtraction(strip(text), item);
  return quick === undefined
    ? { score: 0, parsed: undefined, needsJudge: true }
    : scoreExtraction(quick, item);
};

/** The reply itself where it is a choice or a number of the right type; undefined: ask the judge. */
function quickExtraction(reply: string, item: AnsweredItem): string | undefined {
  const type = item.columns?.['answer_type'];
  if (reply === '') return '';
  if (isChoice(item) && item.options?.includes(reply)) return reply;
  if (type === 'integer') return integer(reply);
  const value = type === 'float' ? float(reply) : undefined;
  return value === undefined ? undefined : floatText(value);
}

/** Scores what was extracted, by the quick way or by the judge: nearest choice, rounding, equality. */
export function scoreExtraction(extraction: string, item: AnsweredItem): Finding {
  const { value, faults } = normalised(extraction, item);
  const parsed = strip(value ?? 'None');
  const right = item.answers.some((answer) => strip(answer) === parsed);
  return { score: right ? 1 : 0, parsed: extraction === '' ? undefined : value, faults };
}

function normalised(
  extraction: string,
  item: AnsweredItem,
): { value: string | undefined; faults: Fault[] } {
  if (isChoice(item)) return nearestChoice(strip(extraction), item.options ?? []);
  const type = item.columns?.['answer_type'];
  if (type !== 'integer' && type !== 'float') return { value: extraction, faults: [] };
  const value = float(extraction);
  if (value === undefined) return { value: undefined, faults: [] };
  if (type === 'float') {
    const precision = Number(item.columns?.['precision'] ?? 0);
    return { value: floatText(round(value, precision)), faults: [] };
  }
  const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)).toString() : undefined;
  return { value: whole, faults: [] };
}

function nearestChoice(
  extraction: string,
  options: readonly string[],
): { value: string | undefined; faults: Fault[] } {
  const bracketed = /\(([a-zA-Z])\)/.exec(extraction)?.[1]?.toUpperCase();
  const text = bracketed ?? extraction;
  const named = options.findIndex((_, index) => letterOf(index) === text);
  if (named >= 0) return { value: options[named], faults: [] };
  let best: { option: string; distance: number } | undefined;
  for (const option of options) {
    const distance = editDistance(text, option);
    if (best === undefined || distance < best.distance) best = { option, distance };
  }
  return { value: best?.option, faults: options.includes(text) ? [] : ['nearest-option'] };
}

function isChoice({ columns }: AnsweredItem): boolean {
  return columns?.['question_type'] === 'multi_choice';
}
