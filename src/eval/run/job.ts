// A benchmark about to be asked: its data opened, its limits settled, its scores named, and what is
// already there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder, readJson } from '../../core/files.ts';
import type { Benchmark } from '../benchmark.ts';
import { openItems } from '../data/open-items.ts';
import type { EvalModel } from '../eval-model.ts';
import { askIdentity, rulesIdentity, scoreIdentity } from '../identity.ts';
import type { ItemSource } from '../items.ts';
import { type ItemResult, type Summary, summarySchema } from '../outcome.ts';
import type { Profile } from '../scorers/scorer.ts';
import { isAnswered, readResults } from './shard.ts';

export interface JobOptions {
  /** Folder that the benchmarks' `data` is under. */
  readonly data: string;
  /** Gets one folder a benchmark; in a run, `runs/<name>/eval`. */
  readonly output: string;
  /** Whose rules score kept replies; default strict. */
  readonly profile?: Profile | undefined;
  /** Ask only the first rows of each benchmark. The score says so by its identity. */
  readonly limit?: number | undefined;
  /** Measure a data set that is not whole; the score carries a warning. */
  readonly partial?: boolean | undefined;
  /** A lower limit than the benchmark's; the score carries a warning. */
  readonly maxNewTokens?: number | undefined;
  /** Identity of the judge. */
  readonly judgeIdentity?: string | undefined;
}

export interface Job {
  /** As it is really asked. */
  readonly benchmark: Benchmark;
  readonly source: ItemSource;
  readonly numRows: number;
  readonly warnings: readonly string[];
  readonly profile: Profile;
  /** Names what was asked of whom: data, prompts, decoding, weights. */
  readonly asked: string;
  /** That and the rules: equal identity, comparable number. */
  readonly identity: string;
  readonly samplesFile: string;
  readonly summaryFile: string;
  /** Folder of its shards. */
  readonly answers: string;
  /** A summary of this identity that has nothing to add to. */
  readonly finished: Summary | undefined;
  /** Results of an earlier run that stay: scored under other rules, or some replies did not come. */
  readonly known: readonly ItemResult[];
}

/**
 * Opens a benchmark. `source` is the caller's to dispose of.
 * @throws OneVisionError 'data' when its data are missing or not whole
 */
export async function openJob(
  given: Benchmark,
  modelIdentity: string,
  options: JobOptions,
): Promise<Job> {
  const { data, output, profile = 'strict', partial, limit } = options;
  const { benchmark, warning } = withLimit(given, options.maxNewTokens);
  ensureFolder(output);
  const hashCache = join(output, 'data-hashes.json');
  const source = await openItems(benchmark, data, { partial, hashCache });
  const { scorer, name } = benchmark;
  const asked = askIdentity({ benchmark, data: source.dataHash, model: modelIdentity, limit });
  const rules = rulesIdentity(scorer, profile);
  const identity = scoreIdentity({ asked, rules, judge: options.judgeIdentity });
  const folder = join(output, name);
  const samplesFile = join(folder, 'samples.jsonl');
  const summaryFile = join(folder, 'summary.json');
  const last = readFinished(summaryFile);
  const isFinished = last?.identity === identity && numErrors(last) === 0;
  return {
    benchmark,
    source,
    numRows: Math.min(source.numRows, limit ?? source.numRows),
    warnings: warning === undefined ? source.warnings : [...source.warnings, warning],
    profile,
    asked,
    identity,
    samplesFile,
    summaryFile,
    answers: join(folder, `answers-${asked}`),
    finished: isFinished ? last : undefined,
    known: last?.asked === asked ? readResults(samplesFile).filter(isAnswered) : [],
  };
}

function withLimit(
  benchmark: Benchmark,
  maxNewTokens: number | undefined,
): { readonly benchmark: Benchmark; readonly warning?: string } {
  const { scorer } = benchmark;
  if (maxNewTokens === undefined || scorer.kind === 'choice') return { benchmark };
  const wanted = scorer.decoding.maxNewTokens;
  if (maxNewTokens >= wanted) return { benchmark };
  const decoding = { ...scorer.decoding, maxNewTokens };
  return {
    benchmark: { ...benchmark, scorer: { ...scorer, decoding } },
    warning: `replies end at ${maxNewTokens} tokens, the benchmark allows ${wanted}`,
  };
}

/**
 * @throws OneVisionError 'usage' when the model cannot answer as a benchmark wants: before any is
 * asked
 */
export function refuse(
  benchmarks: readonly Benchmark[],
  model: EvalModel['cannot'],
  maxNewTokens: number | undefined,
): void {
  for (const given of benchmarks) {
    const { scorer, name } = withLimit(given, maxNewTokens).benchmark;
    const reason = model(scorer.kind === 'choice' ? 'score' : scorer.decoding);
    if (reason === undefined) continue;
    throw new OneVisionError(
      'usage',
      `Benchmark ${name}: this model cannot answer as it wants: ${reason}.`,
      {
        hint: 'measure it with a model that can, or say --max-new-tokens and have the score say so',
      },
    );
  }
}

/** Items that another run may give a score. */
function numErrors({ outcomes }: Summary): number {
  return outcomes['model-error'] + outcomes['judge-error'];
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
