// The paper's table of one model: a row a benchmark in the groups of the paper, an average a group, the
// published numbers beside them. As text, Markdown or LaTeX.

import { SUITES, type Suite } from '../benchmark.ts';
import { PAPER_BENCHMARKS } from '../benchmarks/index.ts';
import type { CaptionScores, Summary } from '../outcome.ts';

/** A number of another source for the same row, in per cent. */
export type Published = Readonly<Record<string, number>>;

export interface TableOptions {
  /** Column of published numbers by benchmark name, where it is wanted. */
  readonly published?: { readonly title: string; readonly values: Published } | undefined;
}

export type TableForm = 'text' | 'markdown' | 'latex';

const SUITE_TITLES: Readonly<Record<Suite, string>> = {
  general: 'General VQA',
  reasoning: 'Reasoning',
  'ocr-chart': 'OCR & Chart',
  other: 'Others',
};

interface Row {
  readonly cells: readonly string[];
  readonly isAverage: boolean;
}

/** The table as cells, its head first. */
export function paperTableCells(
  summaries: readonly Summary[],
  options: TableOptions = {},
): string[][] {
  const { head, rows } = layOut(summaries, options);
  return [head, ...rows.map(({ cells }) => [...cells])];
}

/** Rows that were not measured are left out; an average says over how many of its group it is. */
export function paperTable(
  summaries: readonly Summary[],
  form: TableForm,
  options: TableOptions = {},
): string {
  const { head, rows } = layOut(summaries, options);
  const table = render(form, head, rows);
  const notes = summaries.flatMap(notesOf);
  return form === 'latex' || notes.length === 0
    ? table
    : `${table}\n\n${notes.map((note) => `${form === 'markdown' ? '- ' : ''}${note}`).join('\n')}`;
}

/** What a row has no column for. */
export function notesOf(summary: Summary): string[] {
  const { title, warnings = [], captions, constantCaptions, constantAnswers } = summary;
  const notes = warnings.map((warning) => `${title}: ${warning}`);
  if (constantAnswers !== undefined) {
    const all = Object.entries(constantAnswers).map(
      ([kind, answer]) => `"${answer}"${kind === '' ? '' : ` (${kind})`}`,
    );
    notes.push(`${title}: chance is always to say ${all.join(', ')}`);
  }
  if (captions !== undefined) {
    const shown = ({ bleu4, cider }: CaptionScores): string =>
      `BLEU-4 ${bleu4.toFixed(3)}, CIDEr-D ${cider.toFixed(3)}`;
    const constant = constantCaptions === undefined ? '' : ` (chance: ${shown(constantCaptions)})`;
    notes.push(`${title}: ${shown(captions)}${constant}`);
  }
  return notes;
}

function layOut(
  summaries: readonly Summary[],
  options: TableOptions,
): { head: string[]; rows: Row[] } {
  const published = publishedFor(summaries, options);
  const head = ['benchmark', 'score', '95 % interval', 'of', 'scored by', 'identity'];
  if (published !== undefined) head.splice(2, 0, published.title);
  const hasChance = summaries.some(({ chance }) => chance !== undefined);
  if (hasChance) head.splice(-3, 0, 'chance');
  const rows: Row[] = [];
  const finish = (row: Row, chance?: number): Row => {
    const cell = chance === undefined ? '' : percent(chance);
    return hasChance ? { ...row, cells: row.cells.toSpliced(-3, 0, cell) } : row;
  };
  const rowOf = (summary: Summary): Row =>
    finish(summaryRow(summary, published?.values), summary.chance);
  const byName = new Map(summaries.map((summary) => [summary.benchmark, summary]));
  for (const suite of SUITES) {
    const all = PAPER_BENCHMARKS.filter((benchmark) => benchmark.suite === suite);
    const measured = all.flatMap(({ name }) => byName.get(name) ?? []);
    rows.push(...measured.map(rowOf));
    if (measured.length > 0) {
      rows.push(finish(averageRow(suite, measured, all.length, published?.values)));
    }
  }
  const others = summaries.filter(
    ({ benchmark }) => !PAPER_BENCHMARKS.some(({ name }) => name === benchmark),
  );
  rows.push(...others.map(rowOf));
  return { head, rows };
}

/** A column without a number is left out. */
function publishedFor(
  summaries: readonly Summary[],
  { published }: TableOptions,
): TableOptions['published'] {
  const isKnown = ({ benchmark }: Summary): boolean => published?.values[benchmark] !== undefined;
  return summaries.some(isKnown) ? published : undefined;
}

/** Nothing was scored: all answers are hidden, or the number cannot be computed. */
export function isUnscored({ items, replies }: Summary): boolean {
  if (replies === undefined) return false;
  const { counts, profiles, profile } = replies;
  return counts.hidden === counts.asked || items === 0 || profiles[profile]?.score === null;
}

function summaryRow(summary: Summary, published: Published | undefined): Row {
  const { title, benchmark, accuracy, interval, scorer, identity, replies, items } = summary;
  const denominator = replies?.profiles[replies.profile]?.denominator ?? items;
  const unscored = isUnscored(summary);
  const cells = [
    title,
    unscored ? 'n/a' : percent(accuracy),
    unscored ? '' : `${percent(interval.low)} – ${percent(interval.high)}`,
    String(denominator),
    scorer,
    identity.slice(0, 8),
  ];
  if (published !== undefined) cells.splice(2, 0, percentOf(published[benchmark]));
  return { cells, isAverage: false };
}

function averageRow(
  suite: Suite,
  measured: readonly Summary[],
  all: number,
  published: Published | undefined,
): Row {
  const scored = measured.filter((summary) => !isUnscored(summary));
  const isWhole = scored.length === all;
  const name = `${SUITE_TITLES[suite]} average${isWhole ? '' : ` (${scored.length} of ${all})`}`;
  const cells = [
    name,
    scored.length === 0 ? 'n/a' : percent(mean(scored.map(({ accuracy }) => accuracy))),
    '',
    '',
    '',
    '',
  ];
  if (published !== undefined) {
    const values = scored.flatMap(({ benchmark }) => published[benchmark] ?? []);
    cells.splice(
      2,
      0,
      values.length === scored.length && values.length > 0 ? mean(values).toFixed(1) : '',
    );
  }
  return { cells, isAverage: true };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function percentOf(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(1);
}

function render(form: TableForm, head: readonly string[], rows: readonly Row[]): string {
  if (form === 'text') return text(head, rows);
  if (form === 'markdown') {
    const line = (cells: readonly string[]): string =>
      `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
    const body = rows.map(({ cells, isAverage }) =>
      line(isAverage ? cells.map((cell) => (cell === '' ? '' : `**${cell}**`)) : cells),
    );
    return [line(head), line(rule), ...body].join('\n');
  }
  return latex(head, rows);
}

function text(head: readonly string[], rows: readonly Row[]): string {
  const all = [head, ...rows.map(({ cells }) => cells)];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const isWord = column === 0 || column >= row.length - 2;
        const width = widths[column] ?? 0;
        return isWord ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** A `tabular` with booktabs rules; averages are bold. */
function latex(head: readonly string[], rows: readonly Row[]): string {
  const columns = `l${'r'.repeat(head.length - 1)}`;
  const line = (cells: readonly string[]): string => `${cells.map(escapeLatex).join(' & ')} \\\\`;
  const body = rows.map(({ cells, isAverage }) =>
    isAverage
      ? `${cells.map((cell) => (cell === '' ? '' : `\\textbf{${escapeLatex(cell)}}`)).join(' & ')} \\\\\n\\midrule`
      : line(cells),
  );
  return [
    `\\begin{tabular}{${columns}}`,
    '\\toprule',
    line(head),
    '\\midrule',
    ...body,
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '–': '--',
};

function escapeLatex(cell: string): string {
  return cell.replace(/[\\~^–&%$#_{}]/g, (char) => LATEX[char] ?? `\\${char}`);
}
