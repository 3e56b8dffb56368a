// The data card of a mixture: what is in it, from where, how it was made. As Markdown and as JSON.
import type { Allotment } from './allot.ts';
import type { MixtureConfig } from './config.ts';
import { addCounts, emptyCounts, type MixtureCounts } from './figures.ts';

/** `datacard.json`. */
export interface DataCard {
  readonly format: 'onevision/datacard/1';
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly configHash: string;
  readonly total: MixtureCounts;
  readonly categories: readonly {
    readonly name: string;
    /** Asked for and reached, of all samples. */
    readonly weight: number;
    readonly share: number;
    readonly counts: MixtureCounts;
  }[];
  readonly sources: readonly (Allotment & {
    readonly cap: number | null;
    readonly licence: string | null;
    readonly counts: MixtureCounts;
  })[];
  /** Samples that are in no category, and those that could not be read or taught. */
  readonly leftOut: { readonly noCategory: number; readonly errors: number };
}

export function dataCard(
  config: MixtureConfig,
  allotments: readonly Allotment[],
  countsBySource: ReadonlyMap<string, MixtureCounts>,
  rest: Pick<DataCard, 'configHash' | 'leftOut'>,
): DataCard {
  const settings = new Map(
    config.categories.flatMap(({ sources }) => sources.map((s) => [s.name, s])),
  );
  const sources = allotments.map((allotment) => ({
    ...allotment,
    cap: settings.get(allotment.source)?.cap ?? null,
    licence: settings.get(allotment.source)?.licence ?? null,
    counts: countsBySource.get(allotment.source) ?? emptyCounts(),
  }));
  const total = sources.map(({ counts }) => counts).reduce(addCounts, emptyCounts());
  const sumOfWeights = config.categories.reduce((sum, { weight }) => sum + weight, 0);
  const categories = config.categories.map(({ name, weight }) => {
    const own = sources.filter(({ category }) => category === name);
    const counts = own.map((source) => source.counts).reduce(addCounts, emptyCounts());
    const share = total.samples === 0 ? 0 : counts.samples / total.samples;
    return { name, weight: weight / sumOfWeights, share, counts };
  });
  const { name, description, seed } = config;
  return {
    format: 'onevision/datacard/1',
    name,
    description,
    seed,
    configHash: rest.configHash,
    total,
    categories,
    sources,
    leftOut: rest.leftOut,
  };
}

/** `DATACARD.md`. */
export function dataCardMarkdown(card: DataCard): string {
  const { total, leftOut } = card;
  const paragraphs = [
    `# ${card.name}`,
    card.description,
    `${whole(total.samples)} conversations with ${whole(total.images)} images and ` +
      `${whole(total.answers)} answers. ${whole(total.multiImage)} have several images, ` +
      `${whole(total.multiTurn)} several answers, ${whole(total.textOnly)} no image. ` +
      'None was cut, none comes twice.',
    '## Categories',
    tableOf(
      ['category', 'asked', 'share', 'samples', 'images', 'answers'],
      card.categories.map(({ name, weight, share, counts }) => [
        name,
        percent(weight),
        percent(share),
        whole(counts.samples),
        whole(counts.images),
        whole(counts.answers),
      ]),
    ),
    '## Sources',
    tableOf(
      [
        'source',
        'category',
        'available',
        'cap',
        'taken',
        'images',
        'multi-image',
        'multi-turn',
        'licence',
      ],
      card.sources.map(({ source, category, available, cap, taken, counts, licence }) => [
        source,
        category,
        whole(available),
        cap === null ? '' : whole(cap),
        whole(taken),
        whole(counts.images),
        whole(counts.multiImage),
        whole(counts.multiTurn),
        licence ?? 'not stated',
      ]),
    ),
    '## How it was made',
    `Seed ${card.seed}, settings ${card.configHash}. The total is allotted to the categories by ` +
      'weight and to their sources by weight and cap, in whole numbers by largest remainders. Of a ' +
      'source the samples with the smallest hash of (uid, seed) are taken. Left out: ' +
      `${whole(leftOut.noCategory)} samples of no category, ${whole(leftOut.errors)} that cannot be ` +
      'read or whose images and marks do not agree; each has its row in ledger.jsonl.',
  ];
  return `${paragraphs.filter((text) => text !== '').join('\n\n')}\n`;
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '--' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function whole(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
