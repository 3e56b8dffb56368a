// The scores of several benchmarks as an aligned table for the terminal, and as results.json.
import { join } from 'node:path';
import * as z from 'zod';
import { readJson, writeFileAtomic } from '../../core/files.ts';
import { OUTCOMES, type Summary, summarySchema } from '../outcome.ts';
import { FREQUENCY_BANDS } from '../statistics/bands.ts';

/** `results.json`: all scores of one model. */
export interface Results {
  readonly format: 'onevision-results/1';
  /** What was measured: a checkpoint folder's name, for people. */
  readonly model: string;
  readonly benchmarks: Readonly<Record<string, Summary>>;
}

const resultsSchema: z.ZodType<Results> = z.strictObject({
  format: z.literal('onevision-results/1'),
  model: z.string(),
  benchmarks: z.record(z.string(), summarySchema),
});

/** Writes `results.json` into a folder. @returns its path */
export async function writeResults(
  folder: string,
  model: string,
  summaries: readonly Summary[],
): Promise<string> {
  const benchmarks = Object.fromEntries(summaries.map((summary) => [summary.benchmark, summary]));
  const results: Results = { format: 'onevision-results/1', model, benchmarks };
  const path = join(folder, 'results.json');
  await writeFileAtomic(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}

/** @throws OneVisionError `data` when the file is missing or of another form */
export function readResults(path: string): Results {
  return readJson(path, resultsSchema);
}

/**
 * One line a benchmark: accuracy, 95 % interval, chance, items, scorer, and what went otherwise
 * than right or wrong. Below it one line for each benchmark with frequency bands.
 */
export function resultsTable(summaries: readonly Summary[]): string {
  const rows = summaries.map((summary) => [
    summary.title,
    percent(summary.accuracy),
    `${percent(summary.interval.low)} – ${percent(summary.interval.high)}`,
    summary.chance === undefined ? '' : percent(summary.chance),
    String(summary.items),
    summary.scorer,
    otherOutcomes(summary),
  ]);
  const head = ['benchmark', 'accuracy', '95 % interval', 'chance', 'items', 'scored by', ''];
  const bands = summaries.flatMap(bandRow);
  const table = align([head, ...rows], [1, 2, 3, 4]);
  if (bands.length === 0) return table;
  const bandHead = ['by training frequency', ...FREQUENCY_BANDS];
  return `${table}\n\n${align([bandHead, ...bands], [1, 2, 3, 4])}`;
}

function bandRow({ title, bands }: Summary): string[][] {
  if (bands === undefined) return [];
  const cells = FREQUENCY_BANDS.map((name) => {
    const band = bands[name];
    return band === undefined ? '' : `${percent(band.accuracy)} of ${band.items}`;
  });
  return [[title, ...cells]];
}

function otherOutcomes({ outcomes, captions }: Summary): string {
  const seen = OUTCOMES.filter(
    (name) => !['correct', 'wrong'].includes(name) && outcomes[name] > 0,
  );
  const parts = seen.map((name) => `${outcomes[name]} ${name}`);
  if (captions !== undefined) {
    parts.unshift(`BLEU-4 ${captions.bleu4.toFixed(3)}, CIDEr ${captions.cider.toFixed(2)}`);
  }
  return parts.join(', ');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Columns of equal width, two spaces apart; those in `right` end at one edge. */
function align(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
