// `onevision replies disagreements`: the stored replies that not all profiles score alike, and why.
import { Command } from 'commander';
import type { Disagreements } from '../../../eval/scorers/disagreements.ts';
import { parseWhole } from '../../options.ts';

interface DisagreementsOptions {
  readonly results: string;
  readonly count: number;
  readonly json?: boolean;
}

export function disagreementsCommand(): Command {
  return new Command('disagreements')
    .description('stored replies that rules score differently')
    .argument('<benchmark>', 'name of a benchmark')
    .requiredOption('--results <folder>', 'folder that `onevision eval` wrote')
    .option('--count <n>', 'replies to show', parseWhole, 20)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(benchmark: string, options: DisagreementsOptions): Promise<void> {
  const stored = await import('../../../eval/run/stored-results.ts');
  const { disagreements } = await import('../../../eval/scorers/disagreements.ts');
  const results = stored.readStoredResults(options.results, benchmark);
  const found = disagreements(stored.scoringOf(benchmark), stored.storedPredictions(results));
  console.log(options.json === true ? JSON.stringify(found) : table(found, options.count));
}

function table({ items, means, pairs, rows }: Disagreements, limit: number): string {
  const lines = [`${rows.length} of ${items} replies are scored differently`, ''];
  for (const [profile, mean] of Object.entries(means)) {
    lines.push(`  ${profile.padEnd(10)} mean ${(100 * mean).toFixed(2)} %`);
  }
  lines.push('');
  for (const { first, second, firstHigher, secondHigher } of pairs) {
    lines.push(`  ${first} above ${second}: ${firstHigher}, below: ${secondHigher}`);
  }
  for (const { uid, text, answers, marks } of rows.slice(0, limit)) {
    const scores = Object.entries(marks).map(
      ([profile, mark]) => `${profile} ${mark.score} (${mark.parsed ?? mark.outcome})`,
    );
    lines.push(
      '',
      `${uid}  gold ${answers.join(' | ')}`,
      `  ${JSON.stringify(text.slice(0, 200))}`,
    );
    lines.push(`  ${scores.join('  ')}`);
  }
  return lines.join('\n');
}
