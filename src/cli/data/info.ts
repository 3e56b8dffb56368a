// What is in a source, from its first records (or all): format, shards, conversation, images, losses.
import { readImageSize } from '../../image/decode.ts';
import type { Sample } from '../../sample/sample.ts';
import { openSource } from '../../sample/sources/open.ts';
import { readSource, type SourceSpec } from '../../sample/sources/source.ts';

export interface DataInfo {
  readonly format: string;
  readonly shards: number;
  /** Records that the shards announce; null where they do not. */
  readonly announced: number | null;
  /** Records that were read for the figures below. */
  readonly read: number;
  readonly samples: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly sources: Readonly<Record<string, number>>;
  readonly splits: Readonly<Record<string, number>>;
  readonly imagesPerSample: Quantiles;
  readonly turns: Quantiles;
  readonly characters: Quantiles;
  readonly width: Quantiles;
  readonly height: Quantiles;
  readonly metaFields: readonly string[];
}

/** Least, median, 95 % and most. */
export type Quantiles = readonly [number, number, number, number];

export async function dataInfo(spec: SourceSpec, limit: number): Promise<DataInfo> {
  const source = await openSource(spec);
  const counts = source.shards.map((shard) => shard.count);
  const isKnown = counts.every((count) => count !== undefined);
  const figures = createFigures();
  let read = 0;
  for await (const { sample, lost } of readSource(source)) {
    if (read >= limit) break;
    read += lost?.numSamples ?? 1;
    if (sample === undefined) figures.lose(lost.reason, lost.numSamples);
    else await figures.add(sample);
  }
  return {
    format: source.format,
    shards: source.shards.length,
    announced: isKnown ? counts.reduce((sum, count) => sum + (count ?? 0), 0) : null,
    read,
    ...figures.result(),
  };
}

type Figures = Omit<DataInfo, 'format' | 'shards' | 'announced' | 'read'>;

function createFigures(): {
  lose(reason: string, numSamples: number): void;
  add(sample: Sample): Promise<void>;
  result(): Figures;
} {
  const lost: Record<string, number> = {};
  const sources: Record<string, number> = {};
  const splits: Record<string, number> = {};
  const metaFields = new Set<string>();
  const lists = { images: [], turns: [], characters: [], width: [], height: [] } as Record<
    'images' | 'turns' | 'characters' | 'width' | 'height',
    number[]
  >;
  const count = (table: Record<string, number>, name: string, by = 1): void => {
    table[name] = (table[name] ?? 0) + by;
  };
  let samples = 0;
  return {
    lose: (reason, numSamples) => count(lost, reason, numSamples),
    add: async ({ source, split, images, messages, meta }) => {
      samples += 1;
      count(sources, source);
      count(splits, split);
      lists.images.push(images.length);
      lists.turns.push(messages.length);
      lists.characters.push(messages.reduce((sum, { content }) => sum + content.length, 0));
      for (const field of Object.keys(meta)) metaFields.add(field);
      for (const { bytes } of images) {
        const size = await readImageSize(bytes).catch(() => undefined);
        if (size === undefined) continue;
        lists.width.push(size.width);
        lists.height.push(size.height);
      }
    },
    result: () => ({
      samples,
      lost,
      sources,
      splits,
      imagesPerSample: quantiles(lists.images),
      turns: quantiles(lists.turns),
      characters: quantiles(lists.characters),
      width: quantiles(lists.width),
      height: quantiles(lists.height),
      metaFields: [...metaFields].sort(),
    }),
  };
}

function quantiles(values: number[]): Quantiles {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return [at(0), at(0.5), at(0.95), at(1)];
}
