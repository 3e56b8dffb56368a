// `onevision eval`: scores a run's last checkpoint, a model folder or an endpoint on benchmarks.
import { join } from 'node:path';
import { Command } from 'commander';
import type { Cluster } from '../../../cluster/run-shards.ts';
import { OneVisionError } from '../../../core/errors.ts';
import { log } from '../../../core/log.ts';
import type { Benchmark, ModelSpec } from '../../../eval/index.ts';
import type { JudgeOptions } from '../../../eval/run/judge.ts';
import {
  addClusterOptions,
  type ClusterOptions,
  runAsJob,
  runOnCluster,
} from '../../cluster-options.ts';
import { openRecipeOfRun, parseWhole } from '../../options.ts';
import { compareCommand } from './compare.ts';

interface EvalOptions extends ClusterOptions {
  readonly run: string;
  readonly model?: string;
  readonly endpoint?: string;
  readonly keyEnv: string;
  readonly timeout: number;
  readonly concurrency: number;
  readonly device?: string;
  readonly data: string;
  readonly output?: string;
  readonly profile: string;
  readonly limit?: number;
  readonly partial?: boolean;
  readonly maxNewTokens?: number;
  readonly workers: number;
  readonly list?: boolean;
  readonly judgeModel?: string;
  readonly judgeEndpoint?: string;
  readonly judgeCache?: string;
  readonly beside: string;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description("score a model on the demo's sets or on benchmarks of the paper")
    .argument('[benchmarks...]', 'names, a group or all (default: those of the recipe)')
    .option('--list', 'show all benchmarks and how to fetch their data')
    .option('--run <folder>', 'its last checkpoint is measured', 'runs/demo')
    .option('--model <folder>', 'model folder, or the name that --endpoint serves')
    .option('--endpoint <url>', 'OpenAI-compatible address up to /v1')
    .option('--data <folder>', 'where data sets lie', 'data/benchmarks')
    .option('--output <folder>', 'default: <run>/eval or eval/<model>')
    .option('--profile <rules>', 'strict, official, lmms-v0.5, lmms-head', 'strict')
    .option('--workers <n>', 'processes', parseWhole, 1)
    .option('--json', 'print JSON')
    .optionsGroup('How (docs/eval.md):')
    .option('--device <name>', 'cpu, cuda, cuda:1')
    .option('--limit <n>', 'only the first rows of each', parseWhole)
    .option('--partial', 'measure data that are not whole')
    .option('--max-new-tokens <n>', 'a lower limit than the benchmarks have', parseWhole)
    .option('--key-env <name>', 'variable that holds the key', 'OPENAI_API_KEY')
    .option('--timeout <seconds>', 'longest wait for an answer', parseWhole, 120)
    .option('--concurrency <n>', 'most requests at once', parseWhole, 32)
    .option('--judge-model <name>', 'model that judges what no rule can score')
    .option('--judge-endpoint <url>', 'where it is; without it kept verdicts are used')
    .option('--judge-cache <file>', 'verdicts (default: <output>/judge.sqlite)')
    .option('--beside <model>', 'published numbers to show', 'LLaVA-OneVision-1.5-8B')
    .addCommand(compareCommand());
  return addClusterOptions(command).action(run);
}

async function run(given: string[], options: EvalOptions): Promise<void> {
  if (options.list === true) return await list(options);
  const isRun = options.model === undefined && options.endpoint === undefined;
  const recipe = isRun ? openRecipeOfRun(options.run) : undefined;
  const jobs = join(isRun ? options.run : (options.output ?? 'eval'), 'jobs');
  const sending = { what: 'eval', jobs, recipe: recipe?.slurm };
  const { findBenchmarks } = await import('../../../eval/benchmarks/index.ts');
  const { DEMO_BENCHMARKS } = await import('../../../eval/benchmarks/demo/index.ts');
  const wanted = given.length > 0 ? given : (recipe?.eval ?? ['all']);
  const isDemo = wanted.every((name) => DEMO_BENCHMARKS.some((known) => known.name === name));
  if (recipe === undefined || !isDemo) {
    return await runOnCluster(options, sending, (cluster) =>
      measure(findBenchmarks(wanted), options, cluster),
    );
  }
  await runAsJob(options, sending, async () => {
    const { evaluateRun } = await import('../../eval/evaluate-run.ts');
    const { resultsTable } = await import('../../../eval/report/report.ts');
    const summaries = await evaluateRun({ recipe, dir: options.run, log }, wanted);
    console.log(options.json ? JSON.stringify(summaries) : resultsTable(summaries));
  });
}

async function measure(
  benchmarks: readonly Benchmark[],
  options: EvalOptions,
  cluster: Cluster | undefined,
): Promise<void> {
  const { evaluateModel } = await import('../../eval/evaluate-model.ts');
  const { publishedOf } = await import('../../eval/published-column.ts');
  const { paperTable } = await import('../../../eval/report/paper-table.ts');
  const { spec, name, output } = await target(options);
  const { data, profile, limit, partial, maxNewTokens, workers } = options;
  const asked = { benchmarks, data, profile, limit, partial, maxNewTokens, workers, cluster };
  const published = publishedOf(options.beside);
  const judge = judgeOf(options, output);
  const summaries = await evaluateModel({ ...asked, spec, name, output, published, judge });
  console.log(
    options.json ? JSON.stringify(summaries) : paperTable(summaries, 'text', { published }),
  );
}

/** The key of the judge is that of --key-env too. */
function judgeOf(options: EvalOptions, output: string): JudgeOptions | undefined {
  const { judgeModel: model, judgeEndpoint: url, judgeCache } = options;
  if (model === undefined && url === undefined) return undefined;
  if (model === undefined) {
    throw new OneVisionError('usage', 'Expected --judge-model beside --judge-endpoint, came none.');
  }
  const cache = judgeCache ?? join(output, 'judge.sqlite');
  return { model, url, cache, apiKey: process.env[options.keyEnv] };
}

/** What is measured and where the numbers go. */
async function target(
  options: EvalOptions,
): Promise<{ spec: ModelSpec; name: string; output: string }> {
  const { endpoint, model, device } = options;
  if (endpoint !== undefined) {
    if (model === undefined || !/^https?:\/\//.test(endpoint)) {
      throw new OneVisionError(
        'usage',
        'Expected --endpoint with an http address and --model with the name it serves.',
      );
    }
    const output = options.output ?? join('eval', fileName(model));
    const limits = { timeoutMs: options.timeout * 1000, maxConcurrency: options.concurrency };
    const cache = join(output, 'answers.sqlite');
    const keyVariable = options.keyEnv;
    return {
      spec: { kind: 'endpoint', url: endpoint, model, keyVariable, cache, ...limits },
      name: model,
      output,
    };
  }
  const { lastCheckpoint } = await import('../../train-run.ts');
  const folder = model ?? (await lastCheckpoint(options.run));
  const own = model === undefined ? join(options.run, 'eval') : join('eval', fileName(model));
  const spec: ModelSpec = { kind: 'folder', folder, device };
  return { spec, name: folder, output: options.output ?? own };
}

function fileName(name: string): string {
  return name.replace(/^[./]+|\/+$/g, '').replace(/[^A-Za-z0-9.-]+/g, '-');
}

async function list({ data, json }: EvalOptions): Promise<void> {
  const { formatList, listBenchmarks } = await import('../../eval/list-benchmarks.ts');
  const found = listBenchmarks(data);
  console.log(json ? JSON.stringify(found) : formatList(found));
}
