// The figures of a curation: the funnel, the concepts before and after, languages, sizes, sources,
// and examples for each reason. Plain data.
import { coin } from '../../core/hash.ts';
import type { SourceSpec } from '../../sample/sources/source.ts';
import { type Decisions, ERROR, isTraining } from '../decide/decisions.ts';
import type { ConceptCounts } from '../decide/draw.ts';
import type { Filter } from '../filters/filter.ts';
import type { SurveyTable } from '../survey/survey.ts';
import type { ConceptRow, Example, Report, Stage } from './report-file.ts';
import { describeConcepts, rankFrequency } from './statistics.ts';
import { createTally, type Tally } from './tally.ts';

const NUM_EXAMPLES = 8;
const NUM_CONCEPTS = 24;

export interface ReportInputs {
  readonly table: SurveyTable;
  readonly decisions: Decisions;
  readonly concepts: ConceptCounts;
  readonly filters: readonly Filter[];
  readonly input: SourceSpec;
}

/** Sum up a curation; one pass over the rows. */
export async function summarise(inputs: ReportInputs): Promise<Report> {
  const { decisions, concepts, filters, input } = inputs;
  const tallies = { languages: createTally(), sources: createTally(), sizes: createTally() };
  const examples = await passRows(inputs, tallies);
  const training = countTraining(decisions);
  const stage = (samples: number, counts: Uint32Array): Stage => ({
    samples,
    statistics: describeConcepts(counts),
    curve: rankFrequency(counts),
  });
  return {
    format: 'onevision/curation-report/1',
    input: JSON.parse(JSON.stringify(input)),
    numInput: decisions.numRows,
    numWritten: decisions.copies.reduce((sum, times) => sum + times, 0),
    funnel: funnelOf(decisions, filters),
    stages: {
      raw: stage(training.raw, concepts.raw),
      clean: stage(training.clean, concepts.clean),
      balanced: stage(training.balanced, concepts.balanced),
    },
    expected: concepts.expected,
    top: conceptTop(concepts, () => true),
    gone: conceptTop(concepts, (id) => concepts.clean[id] === 0),
    languages: tallies.languages.byCount(),
    sources: tallies.sources.byCount(),
    sizes: tallies.sizes.byName(),
    examples,
  };
}

/** Tallies before and after, and examples for every reason: those with the smallest coins. */
async function passRows(
  { table, decisions }: ReportInputs,
  tallies: Readonly<Record<'languages' | 'sources' | 'sizes', Tally>>,
): Promise<Record<string, Example[]>> {
  const found = new Map<string, { example: Example; coin: number }[]>();
  const sql = 'SELECT idx, uid, source, language, width, height, caption FROM survey';
  let shard = 0;
  for await (const rows of table.query(sql)) {
    for (const row of rows) {
      const at = row['idx'] as number;
      const copies = decisions.copies[at] as number;
      const size = sizeClass(row['width'] as number | null, row['height'] as number | null);
      tallies.languages.add((row['language'] as string) || 'unknown', copies);
      tallies.sources.add((row['source'] as string) || 'unreadable', copies);
      tallies.sizes.add(size, copies);
      while (at >= (table.shards[shard + 1]?.firstRow ?? Number.POSITIVE_INFINITY)) shard += 1;
      const uid = row['uid'] as string;
      const reason = decisions.reasons[decisions.reason[at] as number] ?? ERROR;
      const list = found.get(reason) ?? [];
      const luck = coin(uid, 'example');
      if (list.length === NUM_EXAMPLES && luck >= (list.at(-1)?.coin ?? 1)) continue;
      const { name = '', firstRow = 0 } = table.shards[shard] ?? {};
      const score = decisions.score[at] as number;
      const example = {
        uid,
        shard: name,
        row: at - firstRow,
        source: row['source'] as string,
        caption: (row['caption'] as string).slice(0, 120),
        score: Number.isNaN(score) ? null : score,
      };
      list.push({ example, coin: luck });
      list.sort((a, b) => a.coin - b.coin);
      found.set(reason, list.slice(0, NUM_EXAMPLES));
    }
  }
  const entries = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([reason, list]) => [reason, list.map(({ example }) => example)]),
  );
}

/** A power of two: '64' holds sides from 64 up to 127. */
function sizeClass(width: number | null, height: number | null): string {
  if (width === null || height === null) return 'none';
  return String(2 ** Math.floor(Math.log2(Math.max(1, Math.sqrt(width * height)))));
}

function countTraining(decisions: Decisions): { raw: number; clean: number; balanced: number } {
  let [raw, clean, balanced] = [0, 0, 0];
  for (let row = 0; row < decisions.numRows; row++) {
    if (!isTraining(decisions, row)) continue;
    raw += 1;
    clean += decisions.clean[row] as number;
    balanced += decisions.copies[row] as number;
  }
  return { raw, clean, balanced };
}

function funnelOf(decisions: Decisions, filters: readonly Filter[]): Report['funnel'] {
  const counts = new Float64Array(decisions.reasons.length);
  for (const code of decisions.reason) counts[code] = (counts[code] as number) + 1;
  const limits = new Map(filters.map(({ name, limit }) => [name, limit]));
  return decisions.reasons
    .map((reason, code) => ({
      reason,
      count: counts[code] as number,
      limit: limits.get(reason) ?? '',
    }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

function conceptTop(concepts: ConceptCounts, isIn: (id: number) => boolean): ConceptRow[] {
  const { names, raw, clean, balanced } = concepts;
  const ids = [...names.keys()].filter((id) => (raw[id] as number) > 0 && isIn(id));
  ids.sort((a, b) => (raw[b] as number) - (raw[a] as number) || a - b);
  return ids
    .slice(0, NUM_CONCEPTS)
    .map((id) => [
      names[id] as string,
      raw[id] as number,
      clean[id] as number,
      balanced[id] as number,
    ]);
}
