// Measures a model folder or an endpoint on benchmarks, in one process or many, and writes the reports.
import { join } from 'node:path';
import type { Cluster } from '../../cluster/run-shards.ts';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder } from '../../core/files.ts';
import { log } from '../../core/log.ts';
import type { Benchmark, Summary } from '../../eval/index.ts';
import { type ModelSpec, openModel } from '../../eval/models/open-model.ts';
import type { TableOptions } from '../../eval/report/paper-table.ts';
import { writeReports } from '../../eval/report/write-reports.ts';
import { refuse } from '../../eval/run/job.ts';
import { type JudgeOptions, openJudge } from '../../eval/run/judge.ts';
import { askInParallel } from '../../eval/run/parallel.ts';
import { evaluate } from '../../eval/runner.ts';
import { PROFILES, type Profile } from '../../eval/scorers/scorer.ts';
import { makePackagedSets } from './packaged-sets.ts';

export interface EvaluateModelOptions {
  readonly spec: ModelSpec;
  /** Shown above the numbers. */
  readonly name: string;
  readonly benchmarks: readonly Benchmark[];
  readonly data: string;
  readonly output: string;
  readonly profile: string;
  readonly limit?: number | undefined;
  readonly partial?: boolean | undefined;
  readonly maxNewTokens?: number | undefined;
  readonly workers: number;
  readonly cluster?: Cluster | undefined;
  readonly judge?: JudgeOptions | undefined;
  readonly published?: TableOptions['published'];
}

/** Rows of a shard; small enough that many processes end at the same time. */
const WINDOW = 256;

/**
 * @throws OneVisionError 'usage' for an unknown profile or a model that cannot answer as a benchmark
 * wants, 'data' for data that are missing or not whole
 */
export async function evaluateModel(options: EvaluateModelOptions): Promise<Summary[]> {
  const { spec, benchmarks, data, output, limit, partial, maxNewTokens, workers, cluster } =
    options;
  const profile = checkProfile(options.profile);
  ensureFolder(output);
  await makePackagedSets(benchmarks, data, log);
  using opened = await openModel(spec);
  const { model } = opened;
  refuse(benchmarks, (wanted) => model.cannot(wanted), maxNewTokens);
  if (workers > 1 || cluster !== undefined) {
    const { identity } = model;
    const config = { model: spec, identity, data, output, limit, partial, maxNewTokens };
    await askInParallel(config, { benchmarks, workers, cluster, window: WINDOW, log });
  }
  using judge = options.judge === undefined ? null : openJudge(options.judge);
  const asked = { benchmarks, data, output, profile, limit, partial, maxNewTokens };
  const summaries = await evaluate({
    ...asked,
    model,
    judge: judge ?? undefined,
    window: WINDOW,
    log,
  });
  await writeReports(output, {
    model: options.name,
    benchmarks,
    summaries,
    data,
    published: options.published,
  });
  log.info('reports', { folder: join(output, 'report.html') });
  return summaries;
}

function checkProfile(name: string): Profile {
  const found = PROFILES.find((profile) => profile === name);
  if (found !== undefined) return found;
  throw new OneVisionError('usage', `Expected --profile ${PROFILES.join(', ')}, got ${name}.`);
}
