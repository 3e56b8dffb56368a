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

const NONE_TOO = '"Not Applicable" agrees only with itself.';

/** What counts as equal, by family of templates: the original's rules. */
const RUBRICS: Readonly<Record<string, string>> = {
  title: `Both must be the same term. Another form of it is the same (α and alpha, LaTeX and plain text), and the letter of a subplot, as (a), may be left out; any other word is not. ${NONE_TOO}`,
  ocr: `Both must be the same term; another form of it is the same (α and alpha, LaTeX and plain text). Numbers must be equal in value. ${NONE_TOO}`,
  quant: `Both must be numbers of exactly the same value; 1 and 1.0 are. ${NONE_TOO}`,
  bool: `Both must say yes, or both no. ${NONE_TOO}`,
  enum: `All terms must be there, no others, and in the same order; another form of a term is the same. ${NONE_TOO}`,
  trend: 'Both must describe the same general trend, in whatever words.',
  layout: 'The numbers of rows and of columns must both be the same: "3 by 2" is not "2 by 3".',
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

/** The prompt of up to five triplets of one template (1 to 19): the original's rules and form, our words. */
export function charxivRequest(template: number, triplets: readonly Triplet[]): JudgeRequest {
  const keys = triplets.flatMap((_, index) => [
    `"extract_answer_T${index + 1}"`,
    `"score_T${index + 1}"`,
  ]);
  const cases = triplets.map(
    ({ question, reply, truth }, index) =>
      `T${index + 1}:\nQuestion ${index + 1}: ${question.split('\n')[0]}\nResponse ${index + 1}: ${reply}\n` +
      `Ground truth ${index + 1}: ${truth}\n`,
  );
  const prompt =
    `You grade ${triplets.length} responses to questions about a chart. For each, first extract the ` +
    'final answer of the response, then give 1 if it agrees with the ground truth and 0 if not. ' +
    'A response that gives no answer has an empty one and gets 0.\n' +
    `${rubricOf(template)}\n` +
    `Reply with one JSON object with the keys ${keys.join(', ')} and nothing else; scores are the ` +
    `numbers 0 and 1.\n\n${cases.join('\n')}`;
  return { template: 'charxiv/2', prompt, maxTokens: 1024 };
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
