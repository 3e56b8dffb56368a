// Finishes marks that need a judge: asks, reads the verdict, and types every failure.
import { createRandom } from '../../../core/hash.ts';
import { mapConcurrent } from '../../../core/pool.ts';
import { letters } from '../letters/letter.ts';
import { scoreExtraction } from '../math/mathvista.ts';
import type { AnsweredItem, Finding, Mark, Profile } from '../scorer.ts';
import type { ScoringName } from '../scorings.ts';
import {
  type CharxivVerdict,
  charxivRequest,
  parseCharxiv,
  TRIPLETS_A_CALL,
  type Triplet,
} from './charxiv.ts';
import * as extraction from './extraction.ts';
import type { Judge } from './judge.ts';

/** A reply whose mark said `needsJudge`. */
export interface Pending {
  readonly item: AnsweredItem;
  readonly text: string;
}

const ATTEMPTS = 3;

/**
 * The marks of replies that no rule could read, in their order. A judge that fails leaves
 * `judge-error` with score 0; as the originals do, the lmms profiles count −1 for CharXiv, and all
 * but `strict` draw an option (seeded, named as a fault, `unparsed`) where a verdict is unreadable.
 */
export async function judgeMarks(
  scoring: ScoringName,
  pending: readonly Pending[],
  profile: Profile,
  judge: Judge,
  concurrency: number = 8,
): Promise<Mark[]> {
  if (scoring === 'charxiv') return charxivMarks(pending, profile, judge, concurrency);
  const marks = mapConcurrent(pending, concurrency, (one) => extractedMark(scoring, one, judge));
  return Array.fromAsync(marks);
}

async function charxivMarks(
  pending: readonly Pending[],
  profile: Profile,
  judge: Judge,
  concurrency: number,
): Promise<Mark[]> {
  const byTemplate = new Map<string, number[]>();
  pending.forEach(({ item }, place) => {
    const template = item.columns?.['template'] ?? '8';
    byTemplate.set(template, [...(byTemplate.get(template) ?? []), place]);
  });
  const calls = [...byTemplate].flatMap(([template, places]) =>
    Array.from({ length: Math.ceil(places.length / TRIPLETS_A_CALL) }, (_, call) => ({
      template: Number(template),
      places: places.slice(call * TRIPLETS_A_CALL, (call + 1) * TRIPLETS_A_CALL),
    })),
  );
  const marks = new Array<Mark>(pending.length);
  const run = async ({ template, places }: (typeof calls)[number]): Promise<void> => {
    const triplets = places.map((place) => ({
      question: pending[place]?.item.question ?? '',
      reply: pending[place]?.text ?? '',
      truth: pending[place]?.item.answers[0] ?? '',
    }));
    const verdicts = await charxivVerdicts(template, triplets, judge);
    places.forEach((place, index) => {
      const verdict = verdicts[index];
      marks[place] =
        verdict === undefined
          ? judgeError(profile)
          : judged({ score: verdict.score, parsed: verdict.extracted });
    });
  };
  await Array.fromAsync(mapConcurrent(calls, concurrency, run));
  return marks;
}

/** Of a call that cannot be read, each triplet is asked alone: one odd reply spoils no other. */
async function charxivVerdicts(
  template: number,
  triplets: readonly Triplet[],
  judge: Judge,
): Promise<(CharxivVerdict | undefined)[]> {
  const request = charxivRequest(template, triplets);
  const verdicts = await attempt(judge, request, (text) => parseCharxiv(text, triplets.length));
  if (verdicts !== undefined) return verdicts;
  if (triplets.length === 1) return [undefined];
  const alone: (CharxivVerdict | undefined)[] = [];
  for (const triplet of triplets)
    alone.push(...(await charxivVerdicts(template, [triplet], judge)));
  return alone;
}

/** A failed judge is no score; lmms-eval writes −1 and takes it into the mean. */
function judgeError(profile: Profile): Mark {
  const counts = profile === 'lmms-v0.5' || profile === 'lmms-head';
  return {
    score: counts ? -1 : 0,
    outcome: 'judge-error',
    parsed: undefined,
    faults: counts ? ['judge-failure-counts'] : [],
    needsJudge: false,
  };
}

async function extractedMark(
  scoring: ScoringName,
  { item, text }: Pending,
  judge: Judge,
): Promise<Mark> {
  const { options = [], question = '', columns } = item;
  if (scoring === 'mathvista') {
    const request = extraction.extractionRequest(columns?.['query'] || question, text);
    const found = await judge.ask(request);
    return found === undefined ? judgeError('strict') : judged(scoreExtraction(found.trim(), item));
  }
  const isReward = scoring === 'vl-rewardbench';
  const request = isReward
    ? extraction.verdictRequest(text)
    : extraction.matchingRequest(question, options, text);
  const parse = (reply: string): string | undefined =>
    isReward ? extraction.parseVerdict(reply) : extraction.parseMatching(reply, options);
  let failed = 0;
  const found = await attempt(judge, request, parse, () => {
    failed += 1;
  });
  if (found !== undefined) {
    return judged({ score: item.answers.includes(found) ? 1 : 0, parsed: found });
  }
  if (failed === ATTEMPTS) return judgeError('strict');
  const choices = isReward ? ['1', '2'] : [...letters(options.length), 'E'];
  const drawn = createRandom(item.uid, 'judge-fallback').pick(choices);
  return {
    score: item.answers.includes(drawn) ? 1 : 0,
    outcome: 'unparsed',
    parsed: drawn,
    faults: ['random-fallback'],
    needsJudge: false,
  };
}

/** Up to three tries until a reply can be read. Each is recorded under its number. */
async function attempt<T>(
  judge: Judge,
  request: Parameters<Judge['ask']>[0],
  parse: (text: string) => T | undefined,
  onFailure: () => void = () => {},
): Promise<T | undefined> {
  for (let number = 0; number < ATTEMPTS; number++) {
    const text = await judge.ask(request, number);
    if (text === undefined) {
      onFailure();
      continue;
    }
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

function judged({ score, parsed, faults = [] }: Finding): Mark {
  return {
    score,
    outcome: score > 0 ? 'correct' : parsed === undefined ? 'unparsed' : 'wrong',
    parsed,
    faults,
    needsJudge: false,
  };
}
