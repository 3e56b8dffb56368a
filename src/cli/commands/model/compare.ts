// `onevision eval compare`: two measurements of the same benchmarks, item by item.
import { Command } from 'commander';

export function compareCommand(): Command {
  return new Command('compare')
    .description('compare two measurements item by item')
    .argument('<a>', 'folder that onevision eval wrote')
    .argument('<b>', 'another one')
    .argument('[benchmarks...]', 'only these; default: all that both measured')
    .option('--json', 'print JSON')
    .action(async (a: string, b: string, names: string[], options: { json?: boolean }) => {
      const { compareFolders, comparisonTable } = await import('../../../eval/report/compare.ts');
      const rows = compareFolders(a, b, names);
      console.log(options.json ? JSON.stringify(rows) : comparisonTable(rows));
    });
}
