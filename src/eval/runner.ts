// Runs benchmarks on a model and writes `eval/<benchmark>/{samples.jsonl,summary.json}`.
// Resumable item by item; a finished score of the same identity is not made again.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, readJson, writeFileAtomic } from '../core/files.ts';
import { sha256Hex } from '../core/hash.ts';
import { log as defaultLog, type Logger } from '../core/log.ts';
import { createProgress } from '../core/progress.ts';
import type { Benchmark } from './benchmark.ts';
import { openItems } from './data/open-items.ts';
import type { EvalModel, Prepared } from './eval-model.ts';
import type { ItemSource } from './items.ts';
import { type ItemResult, type Summary, summarySchema } from './outcome.ts';
import { drawReferences } from './references.ts';
import { scoringOf } from './run/scoring-of.ts';
import { askShard, isAnswered, readResults, shardsOf } from './run/shard.ts';
import { scoreReplies } from './run/summarise-replies.ts';
import type { Profile } from './scorers/scorer.ts';
import type { ConceptCounts } from './statistics/bands.ts';
import { summarise } from './statistics/summary.ts';

/** Part of every identity: raise it when the asking or a scorer of the demo's sets changes. */
export const ASK_VERSION = 3;

const WINDOW = 256;

export interface EvaluateOptions<P extends Prepared> {
  readonly model: EvalModel<P>;
  readonly benchmarks: readonly Benchmark[];
  /** Folder that the benchmarks' `data` is under. */
  readonly data: string;
  /** Gets one folder a benchmark; in a run, `runs/<name>/eval`. */
  readonly output: string;
  /** Whose rules score kept replies; default strict. */
  readonly profile?: Profile | undefined;
  /** Concept → training samples, for head, middle and tail; see `readConceptCounts`. */
  readonly concepts?: ConceptCounts | undefined;
  /** Ask only the first rows of each benchmark. The score says so by its identity. */
  readonly limit?: number | undefined;
  /** Measure a data set that is not whole; the score carries a warning. */
  readonly partial?: boolean | undefined;
  /** A lower limit than the benchmark's; the score carries a warning. */
  readonly maxNewTokens?: number | undefined;
  /** Rows of a shard and items prepared together. Default 256. */
  readonly window?: number;
  readonly log?: Logger;
}

/**
 * Measures a model on benchmarks, one after the other.
 *
 * @throws OneVisionError `data` when a benchmark's data are missing or not whole, `usage` when the
 * model cannot answer as the benchmark wants
 */
export async function evaluate<P extends Prepared>(
  options: EvaluateOptions<P>,
): Promise<Summary[]> {
  const log = options.log ?? defaultLog;
  const jobs = options.benchmarks.map((benchmark) => planJob(benchmark, options));
  for (const { benchmark } of jobs) refuse(benchmark, options.model);
  const summaries: Summary[] = [];
  for (const job of jobs) {
    const summary = await evaluateOne(job, options);
    const { accuracy, items } = summary;
    log.info(`eval ${job.benchmark.name}`, { accuracy: accuracy.toFixed(3), items });
    for (const warning of summary.warnings ?? []) log.warn(`${job.benchmark.name}: ${warning}`);
    summaries.push(summary);
  }
  return summaries;
}

/** A benchmark as it is really asked, and what that changes. */
interface Job {
  readonly benchmark: Benchmark;
  readonly warnings: readonly string[];
}

function planJob<P extends Prepared>(
  benchmark: Benchmark,
  { maxNewTokens }: EvaluateOptions<P>,
): Job {
  const { scorer } = benchmark;
  if (maxNewTokens === undefined || scorer.kind === 'choice') return { benchmark, warnings: [] };
  const wanted = scorer.decoding.maxNewTokens;
  if (maxNewTokens >= wanted) return { benchmark, warnings: [] };
  const decoding = { ...scorer.decoding, maxNewTokens };
  return {
    benchmark: { ...benchmark, scorer: { ...scorer, decoding } },
    warnings: [`replies end at ${maxNewTokens} tokens, the benchmark allows ${wanted}`],
  };
}

function refuse<P extends Prepared>({ name, scorer }: Benchmark, model: EvalModel<P>): void {
  const reason = model.cannot(scorer.kind === 'choice' ? 'score' : scorer.decoding);
  if (reason === undefined) return;
  throw new OneVisionError(
    'usage',
    `Benchmark ${name}: this model cannot answer as it wants: ${reason}.`,
    {
      hint: 'measure it with a model that can, or say --max-new-tokens and have the score say so',
    },
  );
}

async function evaluateOne<P extends Prepared>(
  { benchmark, warnings }: Job,
  options: EvaluateOptions<P>,
): Promise<Summary> {
  const { data, output, profile = 'strict', partial } = options;
  ensureFolder(output);
  const hashCache = join(output, 'data-hashes.json');
  using source = await openItems(benchmark, data, { partial, hashCache });
  const { scorer, name } = benchmark;
  const rules = scorer.kind === 'reply' ? [profile, scoringOf(scorer.scoring).version] : [];
  const asked = askKey(benchmark, source, options);
  const identity = sha256Hex(JSON.stringify([asked, ...rules])).slice(0, 16);
  const folder = join(output, name);
  const paths = { samples: join(folder, 'samples.jsonl'), summary: join(folder, 'summary.json') };
  const finished = readFinished(paths.summary);
  if (finished?.identity === identity && finished.outcomes['model-error'] === 0) return finished;
  // Scored under other rules, or some replies did not come: what was answered is not asked again.
  const known = finished?.asked === asked ? readResults(paths.samples).filter(isAnswered) : [];
  const answers = join(folder, `answers-${asked}`);
  const rows = await askAll(benchmark, source, answers, known, options);
  const all = [...source.warnings, ...warnings];
  const { dataHash, revision } = source;
  const context = { profile, identity, asked, dataHash, revision, warnings: all };
  const { summary, marked } =
    scorer.kind === 'reply'
      ? scoreReplies(benchmark, scorer, rows, context)
      : { summary: summarise(benchmark, context, rows, options.concepts), marked: rows };
  await writeFileAtomic(paths.samples, marked.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await writeFileAtomic(paths.summary, `${JSON.stringify(summary, null, 2)}\n`);
  rmSync(answers, { recursive: true, force: true });
  return summary;
}

/** Names what was asked of whom: data, prompts, decoding, weights. */
function askKey<P extends Prepared>(
  benchmark: Benchmark,
  { dataHash }: ItemSource,
  { model, limit }: EvaluateOptions<P>,
): string {
  const parts = [ASK_VERSION, benchmark, dataHash, model.identity, limit ?? 'all'];
  return sha256Hex(JSON.stringify(parts)).slice(0, 16);
}

/** A finished summary; none when it is missing or not whole, then it is made again. */
function readFinished(path: string): Summary | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readJson(path, summarySchema);
  } catch {
    return undefined;
  }
}

/** Results of all items, in order; what is known is not asked again. */
async function askAll<P extends Prepared>(
  benchmark: Benchmark,
  source: ItemSource,
  folder: string,
  known: readonly ItemResult[],
  { model, data, limit, window = WINDOW }: EvaluateOptions<P>,
): Promise<ItemResult[]> {
  const numRows = Math.min(source.numRows, limit ?? source.numRows);
  using progress = createProgress({ label: `eval ${benchmark.name}`, unit: 'items' });
  const options = {
    model,
    benchmark,
    source,
    folder,
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
