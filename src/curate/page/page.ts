// The report of a curation as one HTML file that needs nothing else: no script, no network.
import type { ConceptRow, Pair, Report } from '../report/report-file.ts';
import { bar, percent, safe, table, whole } from './html.ts';
import { rankChart } from './rank-chart.ts';
import type { Thumbnails } from './thumbnails.ts';

const COLOURS = { raw: '#9aa3ad', clean: '#3b7dd8', balanced: '#d9622b' } as const;
/** Reasons of samples that stay. */
const KEPT: ReadonlySet<string> = new Set(['drawn', 'clean']);

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; color: #1d2329; margin: 0 auto; max-width: 980px; padding: 24px }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 17px; margin: 32px 0 8px }
p.note { color: #5b6671; margin: 2px 0 12px }
table { border-collapse: collapse; width: 100% } th { text-align: right; font-weight: 600; color: #5b6671 }
td, th { padding: 3px 8px; border-bottom: 1px solid #e6e9ec; text-align: right; font-variant-numeric: tabular-nums }
td:first-child, th:first-child { text-align: left }
.bar { display: inline-block; height: 10px; border-radius: 2px; background: #9aa3ad }
.bar.kept { background: #3b7dd8 } .bar.after { background: #d9622b }
td.wide { width: 45%; text-align: left } .limit { color: #5b6671 }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 32px }
svg { width: 100% } svg text { font-size: 11px; fill: #5b6671 } .grid { stroke: #e6e9ec }
.row { display: grid; grid-template-columns: 150px repeat(8, 1fr); gap: 8px; border-bottom: 1px solid #e6e9ec; padding: 6px 0 }
figure { margin: 0; font-size: 10px; line-height: 1.25; color: #5b6671; overflow: hidden }
figure img, figure .none { width: 64px; height: 64px; object-fit: contain; background: #f4f5f6; display: block }
.kept b { color: #3b7dd8 }
`;

/** The page of a report; a sample without a thumbnail shows its caption alone. */
export function reportPage(report: Report, name: string, thumbnails: Thumbnails): string {
  const { stages, numInput, numWritten } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Curation of ${safe(name)}</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>
<h1>Curation of ${safe(name)}</h1>
<p class="note">${whole(numInput)} inputs, each with a row in the ledger; ${whole(numWritten)} samples written.</p>
<h2>What became of the inputs</h2>
${funnel(report)}
<h2>Concepts by rank, training side</h2>
<p class="note">A flatter curve is a better balance. Inverse-frequency draws lift the tail against the head.</p>
${rankChart(Object.entries(stages).map(([stage, { curve }]) => ({ name: stage, colour: COLOURS[stage as keyof typeof COLOURS], points: curve })))}
${stageTable(report)}
<div class="columns"><div><h2>Most frequent in the input</h2>${conceptTable(report.top)}</div>
<div><h2>Gone after cleaning</h2>${conceptTable(report.gone)}</div></div>
<div class="columns"><div><h2>Languages of the captions</h2>${pairTable(report.languages.slice(0, 14))}</div>
<div><h2>Sizes, √(width × height) from</h2>${pairTable(report.sizes)}
<h2>Sources</h2>${pairTable(report.sources.slice(0, 12))}</div></div>
<h2>Examples</h2>
<p class="note">Chosen by a hash of their uids, not by hand. Below each: its caption and the number behind the verdict.</p>
${examples(report, thumbnails)}
</body></html>
`;
}

function funnel({ funnel: rows, numInput }: Report): string {
  return table(
    ['', 'samples', 'share', '', 'stays when'],
    rows.map(({ reason, count, limit }) => [
      safe(reason),
      whole(count),
      percent(count / Math.max(1, numInput)),
      bar(count / Math.max(1, numInput), KEPT.has(reason) ? 'kept' : ''),
      `<span class="limit">${safe(limit)}</span>`,
    ]),
  ).replaceAll('<td><span class="bar', '<td class="wide"><span class="bar');
}

function stageTable({ stages }: Report): string {
  const head = ['training side', 'samples', 'concepts', 'matches', 'Gini', 'top 1 % share', 'once'];
  return table(
    head,
    Object.entries(stages).map(([name, { samples, statistics }]) => [
      name,
      whole(samples),
      whole(statistics.concepts),
      whole(statistics.occurrences),
      statistics.gini.toFixed(3),
      percent(statistics.topShare),
      whole(statistics.singletons),
    ]),
  );
}

function conceptTable(rows: readonly ConceptRow[]): string {
  if (rows.length === 0) return '<p class="note">none</p>';
  return table(
    ['concept', 'raw', 'clean', 'balanced'],
    rows.map(([name, ...counts]) => [safe(name), ...counts.map(whole)]),
  );
}

function pairTable(rows: readonly Pair[]): string {
  return table(
    ['', 'before', 'after'],
    rows.map(([name, before, after]) => [safe(name), whole(before), whole(after)]),
  );
}

function examples({ examples: lists, funnel: rows }: Report, thumbnails: Thumbnails): string {
  return rows
    .map(({ reason, limit }) => {
      const figures = (lists[reason] ?? []).map(({ shard, row, caption, score }) => {
        const source = thumbnails.get(`${shard}#${row}`);
        const picture =
          source === undefined ? '<span class="none"></span>' : `<img src="${source}" alt="">`;
        const number = score === null ? '' : `<br>${Number(score.toPrecision(3))}`;
        return `<figure>${picture}${safe(caption.slice(0, 60))}${number}</figure>`;
      });
      const kind = KEPT.has(reason) ? 'row kept' : 'row';
      const title = `<div><b>${safe(reason)}</b><br><span class="limit">${safe(limit)}</span></div>`;
      return `<div class="${kind}">${title}${figures.join('')}</div>`;
    })
    .join('\n');
}
