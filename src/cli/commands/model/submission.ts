// `onevision replies submission`: the file for the server of a benchmark whose answers are hidden.
import { join } from 'node:path';
import { Command } from 'commander';
import { parseWhole } from '../../options.ts';

interface SubmissionOptions {
  readonly results: string;
  readonly output: string;
  readonly rows?: number;
  readonly json?: boolean;
}

export function submissionCommand(): Command {
  return new Command('submission')
    .description('file for the server of a hidden test set')
    .argument('<benchmark>', 'doc-vqa, info-vqa, mmbench-en, mmbench-cn')
    .requiredOption('--results <folder>', 'folder that `onevision eval` wrote')
    .option('--output <folder>', 'where the file goes', '.')
    .option('--rows <n>', 'rows of the test set', parseWhole)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(benchmark: string, options: SubmissionOptions): Promise<void> {
  const { ensureFolder, writeFileAtomic } = await import('../../../core/files.ts');
  const { readStoredResults } = await import('../../../eval/run/stored-results.ts');
  const { makeSubmission, submissionRows } = await import('../../../eval/export/submission.ts');
  const rows = submissionRows(readStoredResults(options.results, benchmark));
  const { fileName, bytes } = makeSubmission(benchmark, rows, options.rows);
  ensureFolder(options.output);
  const file = join(options.output, fileName);
  await writeFileAtomic(file, bytes);
  const told = { file, rows: rows.length, bytes: bytes.length };
  console.log(options.json === true ? JSON.stringify(told) : `${file}  ${rows.length} rows`);
}
