// From the marks of all items to the score of a benchmark under each profile, with what has to be
// known to believe it: counts, hashes, disagreements. Pure.
import { OneVisionError } from '../../core/errors.ts';
import { sha256Hex } from '../../core/hash.ts';
import type { Benchmark, ReplyScorer } from '../benchmark.ts';
import {
  countOutcomes,
  type ItemResult,
  type ProfileScore,
  type ReplySummary,
  type StoredItem,
  type Summary,
} from '../outcome.ts';
import { type Aggregator, aggregate, type ScoredItem } from '../scorers/aggregate.ts';
import { PROFILES, type Profile, scoreReply } from '../scorers/scorer.ts';
import { SCORINGS } from '../scorers/scorings.ts';
import { bestConstant } from '../statistics/constant.ts';
import type { Job } from './job.ts';
import { countedRows, markRow } from './marks.ts';
import { type ScoreInterval, scoreInterval } from './reply-interval.ts';

/** Marks every row under every profile, and sums them up. */
export function scoreReplies(
  benchmark: Benchmark,
  scorer: ReplyScorer,
  rows: readonly ItemResult[],
  context: Job,
): { readonly summary: Summary; readonly marked: readonly ItemResult[] } {
  const marked = rows.map((row) => markRow(row, scorer, context.profile));
  return { summary: summariseReplies(benchmark, scorer, marked, context), marked };
}

function summariseReplies(
  benchmark: Benchmark,
  scorer: ReplyScorer,
  rows: readonly ItemResult[],
  context: Job,
): Summary {
  const { profile, identity, asked, source } = context;
  const { dataHash, revision } = source;
  const counted = countedRows(rows, scorer, profile);
  const profiles = Object.fromEntries(
    PROFILES.map((name) => [name, profileScore(rows, scorer, name)]),
  );
  const own = profiles[profile] as ProfileScore;
  const how = SCORINGS[scorer.scoring].aggregators[profile];
  const outcomes = countOutcomes(counted);
  const counts = countsOf(benchmark, rows, counted);
  const replies: ReplySummary = {
    profile,
    profiles,
    counts,
    dataHash,
    revision,
    promptHash: sha256Hex(JSON.stringify(rows.map(({ reply }) => reply?.request))).slice(0, 16),
    scoringVersion: SCORINGS[scorer.scoring].version,
  };
  const warnings = [...context.warnings, ...warningsOf(counts, counted.length, profile, own)];
  return {
    format: 'onevision-eval/1',
    benchmark: benchmark.name,
    title: benchmark.title,
    identity,
    asked,
    scorer: `${SCORINGS[scorer.scoring].family} ${profile}`,
    items: counted.length,
    correct: outcomes.correct,
    accuracy: own.score ?? 0,
    ...intervalOf(benchmark, counted, own.score === null ? { kind: 'mean' } : how, own.score ?? 0),
    chance: benchmark.chance,
    ...(benchmark.baseline === 'constant' ? constantOf(scorer, counted, profile) : {}),
    outcomes,
    replies,
    warnings,
  };
}

/** What is scored under the profile by the best fixed answer to each kind of question. */
function constantOf(
  scorer: ReplyScorer,
  rows: readonly ItemResult[],
  profile: Profile,
): Partial<Summary> {
  const scoring = SCORINGS[scorer.scoring];
  const scoreOf = (text: string, item: StoredItem): number =>
    scoreReply(scoring, { text }, item, profile).score;
  const answers: [kind: string, answer: string][] = [];
  const scored: ScoredItem[] = [];
  const items = rows.flatMap(({ reply }) => reply?.item ?? []);
  for (const [kind, own] of Map.groupBy(items, ({ columns }) => columns?.['kind'] ?? '')) {
    const golds = own.flatMap((item) => item.answers[0] ?? []);
    const best = bestConstant(golds, (text) =>
      own.reduce((sum, item) => sum + scoreOf(text, item), 0),
    );
    if (best === undefined) return {};
    answers.push([kind, best.answer]);
    for (const item of own) {
      const { uid, columns } = item;
      scored.push({ uid, columns, score: scoreOf(best.answer, item) });
    }
  }
  if (scored.length === 0) return {};
  const chance = aggregate(scored, scoring.aggregators[profile]).value;
  return { chance, constantAnswers: Object.fromEntries(answers) };
}

/** Subjects of MMMU and the like are no clusters: where a benchmark has none, each item is its own. */
function intervalOf(
  { clusters }: Benchmark,
  rows: readonly ItemResult[],
  how: Aggregator,
  value: number,
): ScoreInterval {
  const items = rows.map(({ uid, group, score = 0, reply }) => ({
    uid,
    score,
    columns: reply?.item.columns,
    cluster: clusters === 'group' ? group : uid,
  }));
  return scoreInterval(items, how, value);
}

/** The number of one profile; none, with the reason, where a part of the data cannot give it. */
function profileScore(
  rows: readonly ItemResult[],
  scorer: ReplyScorer,
  profile: Profile,
): ProfileScore {
  const counted = countedRows(rows, scorer, profile);
  const items = counted.map(({ uid, reply }) => ({
    uid,
    score: reply?.marks?.[profile]?.score ?? 0,
    columns: reply?.item.columns,
  }));
  try {
    const { value, denominator } = aggregate(items, SCORINGS[scorer.scoring].aggregators[profile]);
    return { score: value, denominator, items: items.length };
  } catch (error) {
    if (!(error instanceof OneVisionError)) throw error;
    return { score: null, denominator: 0, items: items.length, reason: error.message };
  }
}

function countsOf(
  { data, denominator }: Benchmark,
  rows: readonly ItemResult[],
  counted: readonly ItemResult[],
): ReplySummary['counts'] {
  const requests = new Set(counted.map(({ reply, uid }) => reply?.request ?? uid));
  const all = typeof denominator === 'number' ? denominator : rows.length;
  const expected = typeof data === 'string' ? all : data.expected.items;
  const isDisputed = ({ reply }: ItemResult): boolean =>
    new Set(Object.values(reply?.marks ?? {}).map(({ score }) => score)).size > 1;
  return {
    expected,
    asked: rows.length,
    unique: requests.size,
    hidden: rows.filter(({ reply }) => reply?.item.answers.length === 0).length,
    disputed: rows.filter(isDisputed).length,
  };
}

function warningsOf(
  { expected, asked, unique, hidden }: ReplySummary['counts'],
  counted: number,
  profile: Profile,
  { reason }: ProfileScore,
): string[] {
  const warnings: string[] = [];
  if (asked !== expected) warnings.push(`${asked} items were asked, the data set has ${expected}`);
  if (counted !== asked) warnings.push(`profile ${profile} counts ${counted} of ${asked} items`);
  if (unique !== counted) warnings.push(`${counted} items are ${unique} different requests`);
  if (hidden > 0) warnings.push(`the answers of ${hidden} items are not public`);
  if (reason !== undefined) warnings.push(reason);
  return warnings;
}
