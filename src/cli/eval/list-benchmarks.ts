// What `onevision eval --list` shows: every benchmark, whether its data are here, and how to fetch them.
import { OneVisionError } from '../../core/errors.ts';
import { ALL_BENCHMARKS } from '../../eval/benchmarks/index.ts';
import { downloadCommand, findHubFolder } from '../../eval/data/hub-folder.ts';
import type { Benchmark } from '../../eval/index.ts';
import { hasPackage } from '../../sample/corpus/packages.ts';
import { FETCH_PACKAGES, packagedSetOf } from './packaged-sets.ts';

export interface ListedBenchmark {
  readonly name: string;
  readonly title: string;
  readonly suite: string;
  readonly items: number | undefined;
  readonly tokens: number | undefined;
  readonly scoring: string;
  readonly licence: string;
  readonly isHere: boolean;
  readonly fetch: string | undefined;
}

export function listBenchmarks(data: string): ListedBenchmark[] {
  return ALL_BENCHMARKS.map((benchmark) => {
    const { name, title, suite, licence = '', scorer, data: source } = benchmark;
    return {
      name,
      title,
      suite: suite ?? (typeof source === 'string' ? 'demo' : 'proxy'),
      items: itemsOf(benchmark),
      tokens: scorer.kind === 'choice' ? undefined : scorer.decoding.maxNewTokens,
      scoring: scorer.kind === 'reply' ? scorer.scoring : scorer.kind,
      licence,
      isHere: isHere(benchmark, data),
      fetch: fetchOf(benchmark, data),
    };
  });
}

function itemsOf({ data, denominator }: Benchmark): number | undefined {
  if (typeof data !== 'string') return data.expected.items;
  return typeof denominator === 'number' ? denominator : undefined;
}

/** The demo makes its own sets. */
function fetchOf({ name, data: source }: Benchmark, data: string): string | undefined {
  if (typeof source !== 'string') return downloadCommand(source.source, data);
  return packagedSetOf(name) === undefined ? undefined : FETCH_PACKAGES;
}

function isHere({ name, data: source }: Benchmark, data: string): boolean {
  if (typeof source === 'string') {
    return packagedSetOf(name)?.packages.every((needed) => hasPackage(needed)) ?? false;
  }
  try {
    return findHubFolder(source.source, data).files.length > 0;
  } catch (error) {
    if (error instanceof OneVisionError) return false;
    throw error;
  }
}

/** One aligned line a benchmark, and below it the commands that fetch what is missing. */
export function formatList(list: readonly ListedBenchmark[]): string {
  const rows = list.map(({ name, suite, items, tokens, scoring, isHere: here, fetch }) => [
    name,
    suite,
    items === undefined ? '' : String(items),
    tokens === undefined ? '' : String(tokens),
    scoring,
    fetch === undefined ? 'made by the demo' : here ? 'here' : 'missing',
  ]);
  const all = [['benchmark', 'group', 'items', 'tokens', 'scored as', 'data'], ...rows];
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0))) ?? [];
  const lines = all.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  const missing = list.filter(({ isHere: here, fetch }) => !here && fetch !== undefined);
  const commands = [...new Set(missing.map(({ fetch }) => `  ${fetch}`))];
  const hint = commands.length === 0 ? [] : ['', 'Fetch what is missing:', ...commands];
  return [...lines.map((line) => line.trimEnd()), ...hint].join('\n');
}
