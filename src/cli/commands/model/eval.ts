// `onevision eval`: scores a run's last checkpoint on the held-out sets.
import { Command } from 'commander';
import { log } from '../../../core/log.ts';
import { openRecipeOfRun } from '../../options.ts';

export function evalCommand(): Command {
  return new Command('eval')
    .description('score the last checkpoint of a run on held-out sets')
    .argument('[benchmarks...]', 'names; default: those of the recipe')
    .option('--run <folder>', 'run folder', 'runs/demo')
    .option('--json', 'print the summaries as JSON')
    .action(async (names: string[], options: { run: string; json?: boolean }) => {
      const { evaluateRun } = await import('../../evaluate-run.ts');
      const { resultsTable } = await import('../../../eval/index.ts');
      const recipe = openRecipeOfRun(options.run);
      const context = { recipe, dir: options.run, log };
      const summaries = await evaluateRun(context, names.length > 0 ? names : recipe.eval);
      console.log(options.json ? JSON.stringify(summaries) : resultsTable(summaries));
    });
}
