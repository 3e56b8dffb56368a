// What `onevision eval` left of a benchmark: its stored replies, for submissions and comparisons.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { findBenchmarks } from '../benchmarks/index.ts';
import type { ItemResult } from '../outcome.ts';
import type { StoredPrediction } from '../scorers/disagreements.ts';
import type { Scoring } from '../scorers/scorer.ts';
import { SCORINGS } from '../scorers/scorings.ts';
import { readResults } from './shard.ts';

/** @throws OneVisionError `data` where the folder holds no results of the benchmark */
export function readStoredResults(folder: string, benchmark: string): ItemResult[] {
  const file = join(folder, benchmark, 'samples.jsonl');
  if (existsSync(file)) return readResults(file);
  throw new OneVisionError('data', `Expected the results of ${benchmark} at ${file}, found none.`, {
    hint: `onevision eval ${benchmark} --output ${folder}`,
  });
}

/** The replies that came, with what scoring needs of their items. */
export function storedPredictions(results: readonly ItemResult[]): StoredPrediction[] {
  return results.flatMap(({ prediction, reply }) =>
    reply === undefined || reply.failure !== undefined
      ? []
      : [{ reply: { text: prediction, truncated: reply.truncated }, item: reply.item }],
  );
}

/** @throws OneVisionError `usage` for a benchmark whose replies are not scored by profiles */
export function scoringOf(benchmark: string): Scoring {
  const scorer = findBenchmarks([benchmark])[0]?.scorer;
  if (scorer?.kind === 'reply') return SCORINGS[scorer.scoring];
  throw new OneVisionError('usage', `The replies to ${benchmark} are not scored by profiles.`, {
    hint: 'choose a benchmark of the paper: onevision eval --list',
  });
}
