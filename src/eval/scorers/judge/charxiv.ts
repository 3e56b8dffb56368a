// CharXiv's descriptive questions: five replies of one template a call, a verdict of 0 or 1 for each.
import * as z from 'zod';
import type { JudgeRequest } from './judge.ts';

/** One reply to compare with its truth. */
export interface Triplet {
  readonly question: string;
  readonly reply: string;
  readonly truth: string;
}

export const TRIPLETS_A_CALL = 5;

/** What counts as equal, by family of templates. */
const RUBRICS: Readonly<Record<string, string>> = {
  title:
    'The title must be the same text. Differences of case, spacing, line breaks, or LaTeX against plain text do not matter; a missing, added or exchanged word does.',
  ocr: 'The label or tick must be the same text. Differences of case, spacing, or LaTeX against plain text do not matter; another number, sign, unit or word does.',
  quant:
    'The numbers must be equal. 1, 1.0 and "one" are equal; a difference in value is not, however small.',
  bool: 'Both must say yes, or both no.',
  enum: 'All names must be there, and no others. Their order and punctuation do not matter.',
  trend: 'Both must describe the same direction over the same range. Synonyms are equal.',
  layout: 'Rows and columns must both be equal; "2 by 3" and "2x3" are equal, "3 by 2" is not.',
};

function rubricOf(template: number): string {
  const family =
    template === 1
      ? 'title'
      : template <= 7
        ? 'ocr'
        : ({ 11: 'bool', 13: 'enum', 16: 'trend', 18: 'layout' }[template] ?? 'quant');
  return RUBRICS[family] ?? '';
}

/** The prompt of up to five triplets of one template (1 to 19). Wording ours, form the original's. */
export function charxivRequest(template: number, triplets: readonly Triplet[]): JudgeRequest {
  const keys = triplets.flatMap((_, index) => [
    `"extract_answer_T${index + 1}"`,
    `"score_T${index + 1}"`,
  ]);
  const cases = triplets.map(
    ({ question, reply, truth }, index) =>
      `T${index + 1}:\nQuestion ${index + 1}: ${question}\nResponse ${index + 1}: ${reply}\n` +
      `Ground truth ${index + 1}: ${truth}\n`,
  );
  const prompt =
    `You grade ${triplets.length} responses to questions about a chart. For each, first extract the ` +
    'final answer of the response, then give 1 if it agrees with the ground truth and 0 if not. ' +
    'A response that gives no answer gets 0. "Not Applicable" agrees only with itself.\n' +
    `${rubricOf(template)}\n` +
    `Reply with one JSON object with the keys ${keys.join(', ')} and nothing else; scores are the ` +
    `numbers 0 and 1.\n\n${cases.join('\n')}`;
  return { template: 'charxiv/1', prompt, maxTokens: 1024 };
}

/** A verdict: the answer that the judge read out, and its score. */
export interface CharxivVerdict {
  readonly extracted: string;
  readonly score: 0 | 1;
}

/**
 * The verdicts in a judge's reply, or undefined unless every key is there with a score of 0 or 1.
 * A fence around the JSON is read over.
 */
export function parseCharxiv(text: string, count: number): CharxivVerdict[] | undefined {
  const body = text.trim().replace(/^```(?:json)?\s*|\s*```$/g, '');
  const data = objectSchema.safeParse(parseJson(body)).data;
  if (data === undefined) return undefined;
  const verdicts: CharxivVerdict[] = [];
  for (let index = 1; index <= count; index++) {
    const extracted = data[`extract_answer_T${index}`];
    const score = scoreSchema.safeParse(data[`score_T${index}`]).data;
    if (extracted === undefined || score === undefined) return undefined;
    verdicts.push({ extracted: String(extracted), score: score === 1 || score === true ? 1 : 0 });
  }
  return verdicts;
}

const objectSchema = z.record(z.string(), z.unknown());
/** Python's `in [0, 1]` takes true and false too. */
const scoreSchema = z.union([z.literal([0, 1]), z.boolean()]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
