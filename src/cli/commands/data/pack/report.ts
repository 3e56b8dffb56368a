// `onevision pack report`: a pack set as one self-contained page.
import { join } from 'node:path';
import { Command } from 'commander';
import { writeFileAtomic } from '../../../../core/files.ts';
import { parseWhole } from '../../../options.ts';

interface ReportOptions {
  readonly output?: string;
  readonly packs: number;
  readonly json?: boolean;
}

export function packReportCommand(): Command {
  return new Command('report')
    .description('one HTML page on a folder of packs')
    .argument('<folder>', 'folder of packs')
    .option('--output <file>', 'the page (default: report.html in the folder)')
    .option('--packs <n>', 'packs to show', parseWhole, 12)
    .option('--json', 'print JSON')
    .action(async (dir: string, options: ReportOptions) => {
      const { surveyPacks } = await import('../../../../pack/report/collect.ts');
      const survey = await surveyPacks(dir, options.packs);
      if (options.json) {
        const { shown: _, ...numbers } = survey;
        console.log(JSON.stringify(numbers));
        return;
      }
      const { packReportHtml } = await import('../../../../pack/report/html.ts');
      const path = options.output ?? join(dir, 'report.html');
      await writeFileAtomic(path, await packReportHtml(survey));
      console.log(path);
    });
}
