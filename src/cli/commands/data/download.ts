// `onevision download`: a table of addresses → samples. Politely, and only what may be fetched.
import { Command } from 'commander';
import { parseWhole } from '../../options.ts';

interface Options {
  readonly output: string;
  readonly where?: string;
  readonly name?: string;
  readonly concurrency: number;
  readonly perHost: number;
  readonly delay: number;
  readonly timeout: number;
  readonly maxMib: number;
  readonly userAgent?: string;
  readonly json?: boolean;
}

export function downloadCommand(): Command {
  return new Command('download')
    .description('fetch the images of a table of addresses')
    .argument('<table>', 'parquet, JSON lines, CSV or TSV with addresses')
    .requiredOption('--output <folder>', 'where the samples go')
    .option('--where <sql>', 'only rows for which this holds, e.g. "width >= 200"')
    .option('--name <name>', 'source of the samples; default: name of the table')
    .option('--concurrency <n>', 'connections in all', parseWhole, 64)
    .option('--per-host <n>', 'connections to one host', parseWhole, 2)
    .option('--delay <ms>', 'least pause between requests to one host', parseWhole, 100)
    .option('--timeout <seconds>', 'longest time for one image', parseWhole, 20)
    .option('--max-mib <n>', 'largest image file', parseWhole, 20)
    .option('--user-agent <text>', 'who asks; give a way to reach you')
    .option('--json', 'print JSON')
    .action(async (table: string, options: Options) => {
      const { download } = await import('../../../sample/download/download.ts');
      const { output, where, name, concurrency, perHost, userAgent } = options;
      const { counts } = await download({
        table,
        output,
        where,
        name,
        concurrency,
        perHost,
        delayMs: options.delay,
        timeoutMs: options.timeout * 1000,
        maxBytes: options.maxMib * 2 ** 20,
        ...(userAgent === undefined ? {} : { userAgent }),
      });
      if (options.json) console.log(JSON.stringify(counts));
      else {
        const { samples = 0, input = 0, mayPass = 0 } = counts;
        console.log(
          `${samples} of ${input} images in ${output}; ${mayPass} failures may pass another time`,
        );
      }
    });
}
