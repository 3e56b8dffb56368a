// `onevision train`: trains the stages of a recipe on its packs; resumes by itself.
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Ranks } from '../../../cluster/slurm/job/job-folder.ts';
import { OneVisionError } from '../../../core/errors.ts';
import { log } from '../../../core/log.ts';
import { STAGES, type StageName } from '../../../recipe.ts';
import { addClusterOptions, type ClusterOptions, runAsJob } from '../../cluster-options.ts';
import { addRecipeOptions, openContext, parseWhole, type RecipeOptions } from '../../options.ts';

interface TrainOptions extends RecipeOptions, ClusterOptions {
  readonly nodes?: number;
  readonly ranksPerNode?: number;
  readonly stage: StageName | 'all';
  /** Ranks to start on this machine. */
  readonly launch?: number;
  readonly rankTimeout: number;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train align, mid-train and instruct; go on where it stopped')
    .argument('[recipe]', 'recipe module, in the place of --recipe')
    .addOption(
      new Option('--stage <name>', 'last stage to train')
        .choices([...STAGES, 'all'])
        .default('all'),
    )
    .option('--launch <local:N>', 'train on N ranks, processes on this machine', parseLaunch)
    .option('--rank-timeout <seconds>', 'longest wait for other ranks', parseWhole, 600);
  addClusterOptions(addRecipeOptions(command))
    .option('--nodes <n>', 'machines of a training job (1)', parseWhole)
    .option('--ranks-per-node <n>', 'processes on each, one a GPU (1)', parseWhole);
  return command.action(async (file: string | undefined, options: TrainOptions) => {
    const context = await openContext({ ...options, recipe: file ?? options.recipe });
    const { dir, recipe } = context;
    const ranks = ranksOf(options);
    const sending = { what: 'train', jobs: join(dir, 'jobs'), recipe: recipe.slurm, ranks };
    await runAsJob(options, sending, async () => {
      if (options.launch !== undefined && process.env['RANK'] === undefined) {
        await launchSelf(options.launch, join(dir, 'logs'));
        return;
      }
      const { lastCheckpoint, trainRun } = await import('../../train-run.ts');
      const last = options.stage === 'all' ? 'instruct' : options.stage;
      const isFirst = await trainRun(context, last, options.rankTimeout);
      if (isFirst) console.log(await lastCheckpoint(dir));
    });
  });
}

/** Processes of the job, where more than one was asked for. */
function ranksOf({ nodes = 1, ranksPerNode = 1, cluster }: TrainOptions): Ranks | undefined {
  const isSeveral = nodes * ranksPerNode !== 1;
  if (isSeveral && (cluster === undefined || nodes * ranksPerNode === 0)) {
    throw new OneVisionError(
      'usage',
      `Expected --cluster slurm and one process at least, got ${nodes} × ${ranksPerNode}.`,
    );
  }
  return isSeveral ? { nodes, perNode: ranksPerNode } : undefined;
}

/** This same command, once for each rank. */
async function launchSelf(ranks: number, logs: string): Promise<void> {
  const { launchRanks } = await import('../../../cluster/launch.ts');
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  await launchRanks({ ranks, command, logs, log });
}

function parseLaunch(text: string): number {
  const ranks = Number(/^local:(\d+)$/.exec(text)?.[1] ?? 0);
  if (ranks >= 1) return ranks;
  throw new InvalidArgumentError('Expected local:N, such as local:2.');
}
