// Runs benchmarks on a model and writes `eval/<benchmark>/{samples.jsonl,summary.json}`.
// Resumable item by item; a finished score of the same identity is not made again.
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureFolder, writeFileAtomic } from '../core/files.ts';
import { log as defaultLog, type Logger } from '../core/log.ts';
import { createProgress } from '../core/progress.ts';
import type { Benchmark } from './benchmark.ts';
import type { EvalModel } from './eval-model.ts';
import type { ItemResult, Summary } from './outcome.ts';
import { drawReferences } from './references.ts';
import { type Job, type JobOptions, openJob, refuse } from './run/job.ts';
import { judgeRows, type OpenJudge } from './run/judge.ts';
import { needsJudge } from './run/marks.ts';
import { askShard, shardsOf } from './run/shard.ts';
import { scoreReplies } from './run/summarise-replies.ts';
import type { ConceptCounts } from './statistics/bands.ts';
import { summarise } from './statistics/summary.ts';

/** Rows of a shard and items prepared together, unless said otherwise. */
export const WINDOW = 256;

export interface EvaluateOptions<P> extends JobOptions {
  readonly model: EvalModel<P>;
  readonly benchmarks: readonly Benchmark[];
  /** Concept → training samples, for head, middle and tail; see `readConceptCounts`. */
  readonly concepts?: ConceptCounts | undefined;
  /** Rows of a shard and items prepared together. Default 256. */
  readonly window?: number;
  /** Asked about replies that no rule can score. */
  readonly judge?: OpenJudge | undefined;
  readonly log?: Logger;
}

/**
 * Measures a model on benchmarks, one after the other.
 *
 * @throws OneVisionError `data` when a benchmark's data are missing or not whole, `usage` when the
 * model cannot answer as the benchmark wants
 */
export async function evaluate<P>(options: EvaluateOptions<P>): Promise<Summary[]> {
  const { model, benchmarks, log = defaultLog } = options;
  refuse(benchmarks, (wanted) => model.cannot(wanted), options.maxNewTokens);
  const summaries: Summary[] = [];
  for (const benchmark of benchmarks) {
    const job = await openJob(benchmark, model.identity, {
      ...options,
      judgeIdentity: options.judge?.identity,
    });
    using _ = job.source;
    const summary = job.finished ?? (await evaluateOne(job, options));
    const { accuracy, items } = summary;
    log.info(`eval ${benchmark.name}`, { accuracy: accuracy.toFixed(3), items });
    for (const warning of summary.warnings ?? []) log.warn(`${benchmark.name}: ${warning}`);
    summaries.push(summary);
  }
  return summaries;
}

async function evaluateOne<P>(job: Job, options: EvaluateOptions<P>): Promise<Summary> {
  const { benchmark, samplesFile, summaryFile } = job;
  const { scorer } = benchmark;
  const answered = await askAll(job, options);
  const rows =
    scorer.kind === 'reply' && options.judge !== undefined
      ? await judgeRows(answered, scorer, (row) => needsJudge(row, scorer), options.judge)
      : answered;
  const { summary, marked } =
    scorer.kind === 'reply'
      ? scoreReplies(benchmark, scorer, rows, job)
      : { summary: summarise(benchmark, job, rows, options.concepts), marked: rows };
  ensureFolder(dirname(samplesFile));
  await writeFileAtomic(samplesFile, marked.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await writeFileAtomic(summaryFile, `${JSON.stringify(summary, null, 2)}\n`);
  rmSync(job.answers, { recursive: true, force: true });
  return summary;
}

/** Results of all items, in order; what is known is not asked again. */
async function askAll<P>(
  { benchmark, source, answers, known, numRows }: Job,
  { model, data, window = WINDOW }: EvaluateOptions<P>,
): Promise<ItemResult[]> {
  using progress = createProgress({ label: `eval ${benchmark.name}`, unit: 'items' });
  const options = {
    model,
    benchmark,
    source,
    folder: answers,
    window,
    references: await drawReferences(benchmark, data),
    known: new Map(known.map((result) => [result.uid, result])),
    onAnswer: () => progress.increment(),
  };
  const rows: ItemResult[] = [];
  for (const shard of shardsOf(numRows, window)) {
    for (const row of await askShard(shard, options)) rows.push(row);
  }
  return rows;
}
