// `onevision eval`: scores a run's last checkpoint on the held-out sets.
import { join } from 'node:path';
import { Command } from 'commander';
import { log } from '../../../core/log.ts';
import { addClusterOptions, type ClusterOptions, runAsJob } from '../../cluster-options.ts';
import { openRecipeOfRun } from '../../options.ts';

interface EvalOptions extends ClusterOptions {
  readonly run: string;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('score the last checkpoint of a run on held-out sets')
    .argument('[benchmarks...]', 'names; default: those of the recipe')
    .option('--run <folder>', 'run folder', 'runs/demo')
    .option('--json', 'print the summaries as JSON');
  return addClusterOptions(command).action(async (names: string[], options: EvalOptions) => {
    const recipe = openRecipeOfRun(options.run);
    const sending = { what: 'eval', jobs: join(options.run, 'jobs'), recipe: recipe.slurm };
    await runAsJob(options, sending, async () => {
      const { evaluateRun } = await import('../../evaluate-run.ts');
      const { resultsTable } = await import('../../../eval/index.ts');
      const context = { recipe, dir: options.run, log };
      const summaries = await evaluateRun(context, names.length > 0 ? names : recipe.eval);
      console.log(options.json ? JSON.stringify(summaries) : resultsTable(summaries));
    });
  });
}
