// The figures of a curation as lines for a terminal.
import type { ConceptCounts } from '../decide/draw.ts';
import type { Report } from './report-file.ts';
import { drawHistograms } from './statistics.ts';

/** Funnel, table of the three stages, histogram of the concepts. */
export function reportLines(report: Report, { raw, balanced }: ConceptCounts): string[] {
  return [...funnelLines(report), '', ...tableLines(report), '', ...drawHistograms(raw, balanced)];
}

function funnelLines({ funnel, numInput }: Report): string[] {
  const rows = funnel.map(({ reason, count }) => {
    const share = `${((100 * count) / Math.max(1, numInput)).toFixed(1)} %`;
    return `${reason.padEnd(18)}${String(count).padStart(8)}${share.padStart(9)}`;
  });
  return [`${'inputs'.padEnd(18)}${String(numInput).padStart(8)}`, ...rows];
}

function tableLines({ stages }: Report): string[] {
  const head = ['training', 'samples', 'concepts', 'matches', 'Gini', 'top 1 %', 'once'];
  const rows = Object.entries(stages).map(([name, { samples, statistics }]) => [
    name,
    String(samples),
    String(statistics.concepts),
    String(statistics.occurrences),
    statistics.gini.toFixed(3),
    `${(100 * statistics.topShare).toFixed(1)} %`,
    String(statistics.singletons),
  ]);
  return [head, ...rows].map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(10))).join(''),
  );
}
