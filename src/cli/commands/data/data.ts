// `onevision data`: look at a source of any format without changing it.
import { Command } from 'commander';
import { OneVisionError } from '../../../core/errors.ts';
import { log } from '../../../core/log.ts';
import { SINK_FORMATS, type SinkFormat } from '../../../sample/sinks/formats.ts';
import {
  SOURCE_FORMATS,
  type SourceFormat,
  type SourceSpec,
} from '../../../sample/sources/source.ts';
import { addClusterOptions, type ClusterOptions, runOnCluster } from '../../cluster-options.ts';
import type { LintSummary } from '../../data/lint.ts';
import { parseWhole } from '../../options.ts';

interface SourceOptions {
  readonly format?: SourceFormat;
  readonly name?: string;
  readonly images?: string;
  readonly json?: boolean;
}

interface PreviewOptions extends SourceOptions {
  readonly count: number;
  readonly uid?: string;
  readonly pack: number;
  readonly tokenizer?: string;
}

export function dataCommand(): Command {
  const command = new Command('data').description('look into samples of any format');
  return command
    .addCommand(infoCommand())
    .addCommand(previewCommand())
    .addCommand(lintCommand())
    .addCommand(exportCommand())
    .addCommand(whyCommand());
}

function sourceCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<source>', 'folder or file of samples')
    .option('--format <name>', `${SOURCE_FORMATS.join(', ')}`)
    .option('--name <name>', 'source of the samples; default: name of the folder')
    .option('--images <folder>', 'folder that image paths are relative to')
    .option('--json', 'print JSON');
}

function specOf(path: string, { format, name, images }: SourceOptions): SourceSpec {
  if (format !== undefined && !SOURCE_FORMATS.includes(format)) {
    throw new OneVisionError(
      'usage',
      `Expected --format ${SOURCE_FORMATS.join(', ')}, got ${format}.`,
    );
  }
  return { path, format, name, imageRoot: images };
}

function infoCommand(): Command {
  return sourceCommand('info', 'format, counts, sizes and losses')
    .option('--limit <n>', 'records to read for the figures; 0 = all', parseWhole, 1000)
    .action(async (path: string, options: SourceOptions & { limit: number }) => {
      const { dataInfo } = await import('../../data/info.ts');
      const limit = options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit;
      const info = await dataInfo(specOf(path, options), limit);
      if (options.json) console.log(JSON.stringify(info));
      else for (const [name, value] of Object.entries(info)) console.log(line(name, value));
    });
}

function line(name: string, value: unknown): string {
  const text = Array.isArray(value) ? value.join('  ') : plain(value);
  return `${name.padEnd(16)} ${text}`;
}

function plain(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? 'unknown');
  return Object.entries(value)
    .map(([key, count]) => `${key}: ${count}`)
    .join('  ');
}

function previewCommand(): Command {
  return sourceCommand('preview', 'the first samples, or a pack as the model sees it')
    .option('--count <n>', 'samples to show', parseWhole, 3)
    .option('--uid <uid>', 'show this one')
    .option('--pack <n>', 'in a folder of packs: which', parseWhole, 0)
    .option('--tokenizer <folder>', 'of packs (default: data/tokenizer of the run)')
    .action(async (path: string, options: PreviewOptions) => {
      const { holdsPacks, printPack } = await import('../../data/preview-pack.ts');
      if (holdsPacks(path)) return await printPack(path, options);
      const { previewSamples } = await import('../../data/preview.ts');
      const samples = await previewSamples(specOf(path, options), options.count, options.uid);
      if (options.json) console.log(JSON.stringify(samples));
      else for (const sample of samples) console.log(`${sample.text}\n`);
    });
}

interface LintFlags extends SourceOptions, ClusterOptions {
  readonly workers: number;
  readonly ledger?: string;
}

function lintCommand(): Command {
  const command = sourceCommand('lint', 'read every record and image; exit code 4 for faults')
    .option('--workers <n>', 'processes', parseWhole, 1)
    .option('--ledger <file>', 'keep a row of every record');
  return addClusterOptions(command).action(async (path: string, options: LintFlags) => {
    const { lint } = await import('../../data/lint.ts');
    const { workers, ledger } = options;
    const jobs = `${ledger ?? path}.jobs`;
    await runOnCluster(options, { what: 'lint', jobs }, async (cluster) => {
      printLint(await lint(specOf(path, options), { workers, ledger, cluster, log }), options);
    });
  });
}

function printLint(summary: LintSummary, { json }: SourceOptions): void {
  const { records, sound, faults, examples } = summary;
  if (json) console.log(JSON.stringify(summary));
  else {
    console.log(`${sound} of ${records} records are sound`);
    const firsts = new Map(Object.entries(examples).map(([uid, reason]) => [reason, uid]));
    for (const [reason, count] of Object.entries(faults)) {
      console.log(`${String(count).padStart(8)}  ${reason}  (first: ${firsts.get(reason)})`);
    }
  }
  if (sound < records) process.exitCode = 4;
}

interface ExportFlags extends SourceOptions, ClusterOptions {
  readonly output: string;
  readonly to: SinkFormat;
  readonly workers: number;
  readonly samples: number;
}

function exportCommand(): Command {
  const command = sourceCommand('export', 'write the samples in another format')
    .requiredOption('--output <folder>', 'where the shards go')
    .requiredOption('--to <format>', SINK_FORMATS.join(', '))
    .option('--workers <n>', 'processes', parseWhole, 1)
    .option('--samples <n>', 'most samples in a shard', parseWhole, 10_000);
  return addClusterOptions(command).action(async (path: string, options: ExportFlags) => {
    const { output, to, workers, samples: samplesPerShard } = options;
    if (!SINK_FORMATS.includes(to)) {
      throw new OneVisionError('usage', `Expected --to ${SINK_FORMATS.join(', ')}, got ${to}.`);
    }
    const { exportData } = await import('../../data/export.ts');
    await runOnCluster(options, { what: 'export', jobs: `${output}.jobs` }, async (cluster) => {
      const settings = { to, output, workers, cluster, samplesPerShard, log };
      const { counts } = await exportData(specOf(path, options), settings);
      if (options.json) console.log(JSON.stringify(counts));
      else console.log(`${counts['samples']} of ${counts['input']} samples in ${output}`);
    });
  });
}

function whyCommand(): Command {
  return new Command('why')
    .description('every verdict on one sample, from ledgers')
    .argument('<uid>', 'as in the ledger')
    .option('--in <folders...>', 'where to look for ledgers', ['runs'])
    .option('--json', 'print JSON')
    .action(async (uid: string, options: { in: string[]; json?: boolean }) => {
      const { findVerdicts } = await import('../../data/why.ts');
      const rows = await findVerdicts(uid, options.in);
      if (rows.length === 0) {
        throw new OneVisionError(
          'data',
          `Expected verdicts on ${uid} below ${options.in.join(', ')}, got none.`,
          {
            hint: '--in takes the folders that hold ledger.jsonl',
          },
        );
      }
      if (options.json) console.log(JSON.stringify(rows));
      for (const row of options.json ? [] : rows) {
        const score = row.score === undefined ? '' : `  score ${row.score}`;
        const parent = row.parent === undefined ? '' : `  of ${row.parent}`;
        console.log(
          `${row.stage.padEnd(10)} ${row.verdict.padEnd(6)} ${row.reason}${score}${parent}  (${row.uid}, ${row.ledger})`,
        );
      }
    });
}
