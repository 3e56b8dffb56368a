// The survey of a pack set as one self-contained page: numbers, histograms, and strips of real packs.
import sharp from 'sharp';
import type { Pack, PackedSample } from '../record.ts';
import type { Histogram, PackSurvey } from './collect.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c1c22, #e8e8ee); --soft: light-dark(#70707c, #9a9aa6);
  --line: light-dark(#dcdce4, #383842); --bar: light-dark(#3a6ea5, #7db0e8); --back: light-dark(#fff, #16161b); }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2.2rem }
table { border-collapse: collapse } td, th { padding: .2rem 1rem .2rem 0; text-align: right;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums } td:first-child, th:first-child { text-align: left }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem 2rem }
figure { margin: 0 } figcaption, .soft { color: var(--soft); font-size: .85rem }
.strip { display: flex; height: 64px; margin: .3rem 0 1.1rem; border: 1px solid var(--line); overflow: hidden }
.strip div { overflow: hidden; display: flex; align-items: center; gap: 2px; border-right: 1px solid var(--back); min-width: 1px }
.strip img { height: 56px; margin-left: 4px } .key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em }
`;

/** Colours of sources, told apart on light and dark ground. */
const HUES = [212, 28, 140, 330, 265, 60, 180, 0, 95, 300];

/** The page. */
export async function packReportHtml(survey: PackSurvey): Promise<string> {
  const { manifest, facts, balance } = survey;
  const sources = [...new Set(survey.shown.flatMap(({ samples }) => samples.map((s) => s.source)))];
  const colour = (source: string): string =>
    `hsl(${HUES[sources.indexOf(source) % HUES.length]} 45% 50% / .45)`;
  const strips = await Promise.all(survey.shown.map((pack) => strip(pack, survey, colour)));
  const balanceRows = balance.map(({ ranks, random, arranged }) => [
    number(ranks),
    percent(random),
    percent(arranged),
  ]);
  const legend = sources
    .map(
      (name) => `<span class="key" style="background:${colour(name)}"></span>${escapeHtml(name)}`,
    )
    .join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Packs</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style>
<h1>${number(manifest.counts['packs'])} packs of ${number(facts.maxTokens)} tokens</h1>
${summary(survey)}
<h2>Distributions</h2><div class="grid">
${chart('Segments in a pack', survey.segments)}
${chart('Tokens left free', survey.free)}
${chart('Vision patches in a pack', survey.patches)}
${chart('Attention: Σ tokens² over capacity²', survey.attention)}</div>
<h2>Balance over ranks</h2><p class="soft">Modelled share of the time that ranks compute when a step has one pack a rank: packs in random order, and arranged by cost.</p>
${table(['ranks', 'random', 'arranged'], balanceRows)}
${sourceTable(survey)}
<h2>Some packs</h2><p class="soft">Width is length in tokens; the blank end is waste.${legend}</p>
${strips.join('\n')}</html>
`;
}

function summary({ manifest, facts }: PackSurvey): string {
  const { counts, stats } = manifest;
  const rows: [string, string][] = [
    ['samples', number(counts['samples'])],
    ['tokens', number(counts['tokens'])],
    ['vision patches', number(counts['patches'])],
    ['fill', percent(facts.fill)],
    ['waste', percent(1 - facts.fill)],
  ];
  if (typeof stats['lowerBound'] === 'number') {
    rows.push(['lower bound', `${number(stats['lowerBound'])} packs`]);
    rows.push(['gap to the bound', percent(Number(stats['gap']), 3)]);
  }
  rows.push(['samples a pack', (Number(counts['samples']) / Number(counts['packs'])).toFixed(2)]);
  rows.push(['longer than a pack', number(counts['overlong'] ?? 0)]);
  rows.push(['unreadable', number(counts['skipped'] ?? 0)]);
  rows.push(['layout', facts.layout]);
  return table(['', ''], rows);
}

function sourceTable({ sources }: PackSurvey): string {
  if (sources.length === 0) return '';
  const total = sources.reduce((sum, source) => sum + source.tokens, 0);
  const rows = sources.map(({ name, samples, tokens }) => {
    const mean = (tokens / samples).toFixed(1);
    return [escapeHtml(name), number(samples), number(tokens), mean, percent(tokens / total)];
  });
  const head = ['source', 'samples', 'tokens', 'tokens a sample', 'share of tokens'];
  return `<h2>Sources, as measured</h2>${table(head, rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  const top = head.some((cell) => cell !== '') ? cells(head, 'th') : '';
  return `<table>${top}${rows.map((row) => cells(row, 'td')).join('')}</table>`;
}

function chart(title: string, { low, high, counts }: Histogram): string {
  const [width, height] = [420, 120];
  const top = Math.max(1, ...counts);
  const step = width / Math.max(1, counts.length);
  const bars = counts.map((count, i) => {
    const tall = (count / top) * height;
    const from = tick(low + ((high - low) * i) / counts.length);
    return `<rect x="${(i * step).toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${tall.toFixed(1)}"><title>from ${from}: ${number(count)} packs</title></rect>`;
  });
  return `<figure><svg viewBox="0 0 ${width} ${height + 16}" role="img" aria-label="${escapeHtml(title)}" fill="var(--bar)">
${bars.join('')}<g fill="var(--soft)" font-size="11"><text y="${height + 13}">${tick(low)}</text>
<text x="${width}" y="${height + 13}" text-anchor="end">${tick(high)}</text></g></svg>
<figcaption>${escapeHtml(title)}; highest bar ${number(top)} packs</figcaption></figure>`;
}

async function strip(
  { key, samples }: Pack,
  { facts }: PackSurvey,
  colour: (source: string) => string,
): Promise<string> {
  const parts = await Promise.all(
    samples.map(async (sample) => {
      const width = ((100 * sample.tokens) / facts.maxTokens).toFixed(3);
      const images = await Promise.all(sample.images.map(({ bytes }) => thumbnail(bytes)));
      const title = escapeHtml(
        `${sample.uid} (${sample.source}): ${sample.tokens} tokens\n${said(sample)}`,
      );
      return `<div style="width:${width}%;background:${colour(sample.source)}" title="${title}">${images.join('')}</div>`;
    }),
  );
  const used = samples.reduce((sum, sample) => sum + sample.tokens, 0);
  const text = `${key}: ${samples.length} segments, ${number(used)} tokens, ${percent(used / facts.maxTokens)}`;
  return `<div class="soft">${text}</div><div class="strip">${parts.join('')}</div>`;
}

/** A small JPEG in the page itself; nothing where the image does not decode. */
async function thumbnail(bytes: Uint8Array): Promise<string> {
  try {
    const small = await sharp(bytes)
      .resize({ height: 56, withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .jpeg({ quality: 60 })
      .toBuffer();
    return `<img alt="" src="data:image/jpeg;base64,${small.toString('base64')}">`;
  } catch {
    return '<span title="an image that does not decode">⚠</span>';
  }
}

function said({ messages }: PackedSample): string {
  const text = messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function number(value: number | undefined): string {
  return (value ?? 0).toLocaleString('en-US');
}

function percent(part: number, digits = 2): string {
  return `${(100 * part).toFixed(digits)} %`;
}

function tick(value: number): string {
  return Number.isInteger(value) ? number(value) : value.toPrecision(3);
}
