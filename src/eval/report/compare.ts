// Two measurements, benchmark by benchmark and item by item: the difference with its interval, a test,
// Holm's correction over the table, and what difference the items could have told at all.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import { type ItemResult, type Summary, summarySchema } from '../outcome.ts';
import { readResults } from '../run/shard.ts';
import { type Comparison, compareRuns, holm } from '../statistics/compare.ts';
import { minimumDetectableDifference } from '../statistics/power.ts';

/** One benchmark in both runs. */
export interface ComparedBenchmark extends Comparison {
  readonly benchmark: string;
  readonly title: string;
  /** Mean scores of the compared items. */
  readonly first: number;
  readonly second: number;
  /** p-value after Holm's correction over all benchmarks compared. */
  readonly adjusted: number;
  /** Smallest true difference that these items would notice in four of five cases. */
  readonly detectable: number;
  readonly warnings: readonly string[];
}

/**
 * Compares what both folders measured: each `<benchmark>/samples.jsonl`.
 * @param names only these; default all that both have
 * @throws OneVisionError 'data' when nothing can be compared, or items differ
 */
export function compareFolders(
  first: string,
  second: string,
  names: readonly string[] = [],
): ComparedBenchmark[] {
  const common = measuredIn(first).filter((name) => measuredIn(second).includes(name));
  const wanted = names.length > 0 ? names : common;
  const lacking = wanted.filter((name) => !common.includes(name));
  if (wanted.length === 0 || lacking.length > 0) {
    throw new OneVisionError(
      'data',
      `Expected ${lacking.join(', ') || 'a common benchmark'} measured in ${first} and in ${second}.`,
      { hint: 'give two folders that onevision eval wrote' },
    );
  }
  const compared = wanted.map((name) => compareOne(first, second, name));
  const adjusted = holm(compared.map(({ pValue }) => pValue));
  return compared.map((one, index) => ({ ...one, adjusted: adjusted[index] ?? 1 }));
}

function measuredIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'summary.json')))
    .sort();
}

function compareOne(
  firstFolder: string,
  secondFolder: string,
  name: string,
): Omit<ComparedBenchmark, 'adjusted'> {
  const a = readMeasured(firstFolder, name);
  const b = readMeasured(secondFolder, name);
  const groups = new Map(a.rows.map(({ uid, group }) => [uid, group]));
  const firstScores = scoresOf(a);
  const secondScores = scoresOf(b);
  const comparison = compareRuns(firstScores, secondScores, (uid) => groups.get(uid) ?? uid);
  const differences = [...firstScores].map(([uid, score]) => (secondScores.get(uid) ?? 0) - score);
  return {
    ...comparison,
    benchmark: name,
    title: a.summary.title,
    first: mean([...firstScores.values()]),
    second: mean([...secondScores.values()]),
    detectable: minimumDetectableDifference(deviation(differences), differences.length),
    warnings: warningsOf(a.summary, b.summary),
  };
}

interface Measured {
  readonly summary: Summary;
  readonly rows: readonly ItemResult[];
}

function readMeasured(folder: string, name: string): Measured {
  const summary = readJson(join(folder, name, 'summary.json'), summarySchema);
  return { summary, rows: readResults(join(folder, name, 'samples.jsonl')) };
}

function scoresOf({ rows }: Measured): Map<string, number> {
  return new Map(rows.map((row) => [row.uid, scoreOf(row)]));
}

function scoreOf({ score, outcome }: ItemResult): number {
  return score ?? (outcome === 'correct' ? 1 : 0);
}

/** What makes two numbers differ besides the model. */
function warningsOf(a: Summary, b: Summary): string[] {
  const warnings: string[] = [];
  if (a.scorer !== b.scorer) warnings.push(`scored as ${a.scorer} and as ${b.scorer}`);
  if (a.replies?.dataHash !== b.replies?.dataHash) warnings.push('the data differ');
  if (a.replies?.promptHash !== b.replies?.promptHash) warnings.push('the questions differ');
  if (a.replies?.scoringVersion !== b.replies?.scoringVersion) warnings.push('the rules differ');
  return warnings;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

/** An aligned table; a star marks what holds after Holm's correction at 5 %. */
export function comparisonTable(rows: readonly ComparedBenchmark[]): string {
  const head = [
    'benchmark',
    'A',
    'B',
    'B − A',
    '95 % interval',
    'only A',
    'only B',
    'p',
    'p (Holm)',
    'detectable',
    'test',
  ];
  const lines = rows.map((row) => [
    row.title,
    percent(row.first),
    percent(row.second),
    signed(row.difference),
    `${signed(row.interval.low)} … ${signed(row.interval.high)}`,
    String(row.onlyFirst),
    String(row.onlySecond),
    row.pValue.toFixed(4),
    `${row.adjusted.toFixed(4)}${row.adjusted < 0.05 ? ' *' : '  '}`,
    percent(row.detectable),
    row.method,
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const table = all.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === line.length - 1
          ? cell.padEnd(width)
          : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.flatMap(({ title, warnings }) => warnings.map((one) => `${title}: ${one}`));
  return [...table, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${percent(share)}`;
}
