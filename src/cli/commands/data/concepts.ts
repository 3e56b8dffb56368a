// `onevision concepts`: build a list of concepts, match samples against it, balance the rows.
import { globSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import type { Cluster } from '../../../cluster/run-shards.ts';
import { OneVisionError } from '../../../core/errors.ts';
import type { BuildConfig } from '../../../curate/concepts/build/build.ts';
import type { PictureMatching } from '../../../curate/concepts/match-source.ts';
import type { BalanceConfig } from '../../../curate/config.ts';
import type { Manifest } from '../../../sample/manifest.ts';
import { addClusterOptions, type ClusterOptions, runOnCluster } from '../../cluster-options.ts';
import { parseWhole } from '../../options.ts';

interface JsonOption {
  readonly json?: boolean;
}

export function conceptsCommand(): Command {
  const command = new Command('concepts').description(
    'build a list of concepts, match samples, balance the matches',
  );
  for (const make of [buildCommand, matchCommand, balanceCommand]) command.addCommand(make());
  return command;
}

interface BuildOptions extends JsonOption, Partial<BuildConfig> {
  readonly input?: string;
  readonly output: string;
  readonly translations?: string;
}

function buildCommand(): Command {
  return new Command('build')
    .description('labels of a corpus, nouns of WordNet, pairs of words, frequent words')
    .option('--input <folder>', 'samples whose labels and captions are read')
    .requiredOption('--output <folder>', 'gets concepts.jsonl')
    .option('--max-concepts <n>', 'concepts at most (500000)', parseWhole)
    .addOption(
      new Option('--nouns <which>', 'WordNet: what can be drawn and is in use, every noun, none')
        .choices(['physical', 'all', 'none'])
        .default('physical'),
    )
    .option('--num-words <n>', 'popular words to add (0)', parseWhole)
    .option('--min-label-count <n>', 'samples that have a label or tag (2)', parseWhole)
    .option('--min-bigram-count <n>', 'times the corpus has a pair of words (5)', parseWhole)
    .option('--min-pmi <bits>', 'how far above chance a pair is (6)', parseNumber)
    .option('--translations <file>', 'JSON lines {name, language, label}; emoji: 27 languages')
    .option('--json', 'print JSON')
    .action(async ({ input, output, translations, json, ...config }: BuildOptions) => {
      const { buildConcepts } = await import('../../../curate/concepts/build/build.ts');
      show(await buildConcepts({ input, output, translations, config }), output, json);
    });
}

interface MatchOptions extends JsonOption, ClusterOptions {
  readonly input: string;
  readonly output: string;
  readonly concepts?: string;
  readonly embedder?: string;
  readonly workers: number;
  readonly top: number;
  readonly minCosine: number;
  readonly template: string;
}

function matchCommand(): Command {
  const command = new Command('match')
    .description('concepts of each sample: by its caption, or with --embedder by its picture')
    .requiredOption('--input <folder>', 'samples')
    .requiredOption('--output <folder>', 'gets rows-*.parquet: uid, language, concepts')
    .option('--concepts <folder>', 'list that `concepts build` made')
    .option(
      '--embedder <model>',
      'match pictures: packaged, an ONNX CLIP folder, or a model folder',
    )
    .option('--top <n>', 'concepts of a picture', parseWhole, 16)
    .option('--min-cosine <n>', 'lowest cosine that counts', parseNumber, -1)
    .option('--template <text>', 'what a concept is embedded as', 'a photo of {}')
    .option('--workers <n>', 'processes', parseWhole, 1)
    .option('--json', 'print JSON');
  return addClusterOptions(command).action(async (options: MatchOptions) => {
    const sending = { what: 'match', jobs: `${options.output}.jobs` };
    await runOnCluster(options, sending, (cluster) => runMatch(options, cluster));
  });
}

async function runMatch(options: MatchOptions, cluster: Cluster | undefined): Promise<void> {
  const { input, output, concepts: list = null, workers, json } = options;
  const { matchSource } = await import('../../../curate/concepts/match-source.ts');
  const pictures = await pictureMatching(options);
  const manifest = await matchSource({
    input,
    output,
    concepts: { list },
    pictures,
    workers,
    cluster,
  });
  show(manifest, output, json);
}

async function pictureMatching(options: MatchOptions): Promise<PictureMatching | undefined> {
  const { embedder, top: k, minCosine, template } = options;
  if (embedder === undefined) return undefined;
  const { embedderModule } = await import('../../embed/open-embedder.ts');
  return { module: await embedderModule(embedder), k, minCosine, template };
}

interface BalanceOptions extends JsonOption {
  readonly rows: string;
  readonly output: string;
  readonly numConcepts: number;
  readonly seed: number;
  readonly rule: BalanceConfig['rule'];
  readonly aggregate: BalanceConfig['aggregate'];
  readonly target: number;
  readonly replacement?: boolean;
  readonly tailShare: number;
  readonly t?: number;
  readonly threads: number;
}

function balanceCommand(): Command {
  return new Command('balance')
    .description('choose rows by concept frequency; prints the size before anything is written')
    .requiredOption('--rows <glob>', 'parquet files: uid, concepts and, for metaclip-t, language')
    .requiredOption('--output <folder>', 'gets selection-*.parquet: uid, copies')
    .requiredOption('--num-concepts <n>', 'size of the concept list', parseWhole)
    .addOption(
      new Option('--rule <name>', 'see docs/curate.md')
        .choices(['inverse-frequency', 'metaclip-t', 'uniform'])
        .default('inverse-frequency'),
    )
    .addOption(
      new Option('--aggregate <how>', 'of 1/frequency').choices(['sum', 'mean']).default('sum'),
    )
    .option('--target <share>', 'rows to draw, as a share of all', parseNumber, 0.5)
    .option('--replacement', 'draw with repetition')
    .option('--tail-share <share>', 'matches below t, of metaclip-t', parseNumber, 0.06)
    .option('--t <count>', 't of the largest language, of metaclip-t', parseNumber)
    .option('--seed <n>', 'of the coins', parseWhole, 0)
    .option('--threads <n>', 'threads that decode the files', parseWhole, 1)
    .option('--json', 'print JSON')
    .action(async (options: BalanceOptions) => {
      const { balanceColumns } = await import('../../../curate/balance/balance-columns.ts');
      const { balanceSchema } = await import('../../../curate/config.ts');
      const { output, numConcepts, seed, threads, json } = options;
      const files = globSync(options.rows).sort();
      if (files.length === 0) {
        throw new OneVisionError('usage', `Expected parquet files at ${options.rows}.`, {
          hint: 'onevision concepts match writes them',
        });
      }
      const { rule, aggregate, target, replacement, tailShare, t } = options;
      const parsed = balanceSchema.safeParse({
        rule,
        aggregate,
        target,
        replacement,
        tailShare,
        t,
      });
      if (!parsed.success) throw new OneVisionError('usage', z.prettifyError(parsed.error));
      const config = parsed.data;
      const columns = rule === 'metaclip-t' ? { language: 'language' } : {};
      const rows = { files, output, numConcepts, config, seed, threads, columns };
      show(await balanceColumns(rows), output, json);
    });
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

function show(manifest: Manifest, output: string, json: boolean | undefined): void {
  if (json === true) console.log(JSON.stringify(manifest));
  else {
    const counts = Object.entries(manifest.counts).map(([name, count]) => `${count} ${name}`);
    console.log(`${output}: ${counts.join(', ')}`);
  }
}
