// The options of commands that may go to Slurm, and the two ways there: shards as array jobs, or the
// whole command as one job.
import { type Command, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import type { Cluster } from '../cluster/run-shards.ts';
import { arrayCluster } from '../cluster/slurm/array-cluster.ts';
import { type SlurmConfig, type SlurmInput, slurmSchema } from '../cluster/slurm/config.ts';
import { DryRun } from '../cluster/slurm/dry-run.ts';
import { followCommand, submitCommand } from '../cluster/slurm/job/command-job.ts';
import type { Ranks } from '../cluster/slurm/job/job-folder.ts';
import { IN_JOB } from '../cluster/slurm/job/rank.ts';
import { OneVisionError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { collect, parseWhole } from './options.ts';

export interface ClusterOptions {
  readonly cluster?: 'slurm';
  readonly partition?: string;
  readonly account?: string;
  readonly time?: string;
  readonly cpus?: number;
  readonly mem?: string;
  readonly gpus?: string;
  readonly tasks?: number;
  readonly sbatch?: readonly string[];
  readonly after?: readonly string[];
  readonly detach?: boolean;
  readonly dryRun?: boolean;
}

const NAMES = ['partition', 'account', 'time', 'cpus', 'mem', 'gpus', 'tasks'] as const;

export function addClusterOptions(command: Command): Command {
  return command
    .optionsGroup('On a cluster (docs/cluster.md):')
    .addOption(new Option('--cluster <kind>', 'where it runs').choices(['slurm']))
    .option('--partition <name>', 'partition')
    .option('--account <name>', 'account')
    .option('--time <limit>', 'time limit of a job, as 4:00:00; what is left goes on in the next')
    .option('--cpus <n>', 'processors of a task', parseWhole)
    .option('--mem <size>', 'memory of a node, as 8G')
    .option('--gpus <n>', 'GPUs of a node, as 8 or a100:4')
    .option('--tasks <n>', 'most tasks of an array job (64)', parseWhole)
    .option('--sbatch <key=value>', 'any other option of sbatch; repeatable', collect)
    .option('--after <jobs>', 'start after these jobs ended well; implies --detach', parseJobs)
    .option('--detach', 'send the command itself as a job and return')
    .option('--dry-run', 'print the script and send nothing');
}

/** What a command tells about itself. */
export interface Sending {
  readonly what: string;
  /** Folder of jobs of the run or output; created when the command goes as a job. */
  readonly jobs: string;
  readonly recipe?: SlurmInput | undefined;
  readonly ranks?: Ranks | undefined;
}

/** Runs `work` with its shards on the cluster where that was asked for, or sends it as a job. */
export async function runOnCluster(
  options: ClusterOptions,
  sending: Sending,
  work: (cluster: Cluster | undefined) => Promise<void>,
): Promise<void> {
  if (!isSent(options)) return await work(undefined);
  const config = slurmConfig(options, sending.recipe);
  const isDetached = options.detach === true || (options.after ?? []).length > 0;
  if (isDetached && process.env[IN_JOB] === undefined) {
    // The command itself only submits and waits.
    const { cpus: _, mem: __, gpus: ___, ...small } = config;
    return await send(options, sending, small);
  }
  await unlessDry(() => work(arrayCluster({ config, dryRun: options.dryRun === true })));
}

/** Runs `work` here, or sends the whole command as a job and waits for it. */
export async function runAsJob(
  options: ClusterOptions,
  sending: Sending,
  work: () => Promise<void>,
): Promise<void> {
  if (!isSent(options) || process.env[IN_JOB] !== undefined) return await work();
  await send(options, sending, slurmConfig(options, sending.recipe));
}

async function send(options: ClusterOptions, sending: Sending, config: SlurmConfig): Promise<void> {
  const { what, jobs, ranks } = sending;
  const { after = [], detach = false, dryRun = false } = options;
  const command = { what, argv: process.argv.slice(1), ranks };
  const dir = `${jobs}/${what}`;
  await unlessDry(async () => {
    const id = await submitCommand(command, { dir, config, after, dryRun, log });
    if (detach || after.length > 0) console.log(id);
    else await followCommand(command, { dir, log, print: (text) => process.stderr.write(text) });
  });
}

/** A dry run ends here, with the script on stdout. */
async function unlessDry(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
    process.stdout.write(error.script);
  }
}

function isSent(options: ClusterOptions): boolean {
  if (options.cluster === 'slurm') return true;
  const given = [...NAMES, 'after', 'detach', 'dryRun', 'sbatch'].filter((name) => {
    return (options as Readonly<Record<string, unknown>>)[name] !== undefined;
  });
  if (given.length === 0) return false;
  const flag = given[0] === 'dryRun' ? 'dry-run' : given[0];
  throw new OneVisionError('usage', `Expected --cluster slurm beside --${flag}, came none.`);
}

/** Options of the command line before those of the recipe. @throws OneVisionError 'usage'. */
export function slurmConfig(options: ClusterOptions, recipe: SlurmInput = {}): SlurmConfig {
  const given = NAMES.filter((name) => options[name] !== undefined);
  const own = Object.fromEntries(given.map((name) => [name, options[name]]));
  const pairs = (options.sbatch ?? []).map((text) => {
    const [, key = '', value = ''] = /^-{0,2}([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
    return [key, value];
  });
  const sbatch = { ...recipe.sbatch, ...Object.fromEntries(pairs) };
  const parsed = slurmSchema.safeParse({ ...recipe, ...own, sbatch });
  if (parsed.success) return parsed.data;
  throw new OneVisionError('usage', `Wrong options for Slurm.\n${z.prettifyError(parsed.error)}`, {
    hint: 'correct the options named above, on the command line or in the recipe under slurm',
  });
}

function parseJobs(text: string): string[] {
  if (/^\d+([,:]\d+)*$/.test(text)) return text.split(/[,:]/);
  throw new InvalidArgumentError('Expected numbers of jobs as 12 or 12,13.');
}
