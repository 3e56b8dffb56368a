// The figures of a curation: the funnel, and the concepts before and after. Text and plain data.
import type { ConceptCount } from '../sample/concept-table.ts';
import { countConcepts } from './balance.ts';
import type { Decision } from './decide.ts';
import { type ConceptStatistics, describeConcepts, drawHistograms } from './statistics.ts';

export interface CurationReport {
  /** Inputs by what became of them: `clean`, `drawn`, `variant`, `blank`, … */
  readonly funnel: Readonly<Record<string, number>>;
  readonly numInput: number;
  readonly numWritten: number;
  /** Training side: as it came, after filters and deduplication, as drawn. */
  readonly raw: ConceptStatistics;
  readonly clean: ConceptStatistics;
  readonly balanced: ConceptStatistics;
  readonly concepts: ReadonlyMap<string, ConceptCount>;
  readonly lines: readonly string[];
}

/** Sum up the decisions of a curation. */
export function reportCuration(decisions: readonly Decision[]): CurationReport {
  const training = decisions.filter((decision) => decision.isTraining);
  const raw = countConcepts(training);
  const clean = countConcepts(training.filter((decision) => decision.clean));
  const copies = training.map((decision) => decision.copies);
  const balanced = countConcepts(training, copies);
  const numWritten = decisions.reduce((sum, decision) => sum + decision.copies, 0);
  const stages: [string, ConceptStatistics, number][] = [
    ['raw', describeConcepts(raw), training.length],
    ['clean', describeConcepts(clean), training.filter((decision) => decision.clean).length],
    ['balanced', describeConcepts(balanced), copies.reduce((sum, count) => sum + count, 0)],
  ];
  const funnel = countReasons(decisions);
  return {
    funnel,
    numInput: decisions.length,
    numWritten,
    raw: stages[0]?.[1] ?? describeConcepts(raw),
    clean: stages[1]?.[1] ?? describeConcepts(clean),
    balanced: stages[2]?.[1] ?? describeConcepts(balanced),
    concepts: conceptTable(raw, clean, balanced),
    lines: [
      ...funnelLines(funnel, decisions.length),
      '',
      ...tableLines(stages),
      '',
      ...drawHistograms(raw, balanced),
    ],
  };
}

/** Errors are one line of the funnel; their reasons are in the ledger. */
function countReasons(decisions: readonly Decision[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { verdict, reason } of decisions) {
    const name = verdict === 'error' ? 'error' : reason;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

function conceptTable(
  raw: ReadonlyMap<string, number>,
  clean: ReadonlyMap<string, number>,
  balanced: ReadonlyMap<string, number>,
): Map<string, ConceptCount> {
  const table = new Map<string, ConceptCount>();
  for (const [name, count] of raw) {
    table.set(name, {
      raw: count,
      clean: clean.get(name) ?? 0,
      balanced: balanced.get(name) ?? 0,
    });
  }
  return table;
}

function funnelLines(funnel: Readonly<Record<string, number>>, total: number): string[] {
  const rows = Object.entries(funnel).map(([name, count]) => {
    const share = `${((100 * count) / Math.max(1, total)).toFixed(1)} %`;
    return `${name.padEnd(16)}${String(count).padStart(8)}${share.padStart(9)}`;
  });
  return [`${'inputs'.padEnd(16)}${String(total).padStart(8)}`, ...rows];
}

function tableLines(stages: readonly [string, ConceptStatistics, number][]): string[] {
  const head = ['training', 'samples', 'concepts', 'matches', 'Gini', 'top 1 %', 'once'];
  const rows = stages.map(([name, figures, samples]) => [
    name,
    String(samples),
    String(figures.concepts),
    String(figures.occurrences),
    figures.gini.toFixed(3),
    `${(100 * figures.topShare).toFixed(1)} %`,
    String(figures.singletons),
  ]);
  return [head, ...rows].map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(10))).join(''),
  );
}
