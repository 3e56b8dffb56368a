// Measuring as work in shards: one source shard → one parquet file of lengths and places.
import { join } from 'node:path';
import { z } from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { ensureFolder } from '../../core/files.ts';
import { hashUint32 } from '../../core/hash.ts';
import { mapConcurrent } from '../../core/pool.ts';
import { type ProcessorConfig, processorSchema } from '../../image/config.ts';
import type { Sample } from '../../sample/sample.ts';
import { encodeSampleJson } from '../../sample/sample-json.ts';
import { openSource } from '../../sample/sources/open.ts';
import {
  type Source,
  type SourceEntry,
  type SourceSpec,
  sourceSpecSchema,
} from '../../sample/sources/source.ts';
import { paddedSize, TAR_BLOCK } from '../../sample/tar.ts';
import { loadTokenizer } from '../../text/tokenizer.ts';
import { type LengthContext, measureSample } from '../lengths.ts';
import { type LengthRow, type LostRow, writeLengthsFile } from './lengths-file.ts';

export interface LengthsConfig {
  readonly sources: readonly SourceSpec[];
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  readonly seed: number;
  /** Folder of the parquet files. */
  readonly output: string;
}

const configSchema: z.ZodType<LengthsConfig> = z.strictObject({
  sources: z.array(sourceSpecSchema),
  tokenizer: z.string(),
  processor: processorSchema,
  seed: z.number(),
  output: z.string(),
});

/** One shard of one source, as the name of a piece of work. */
export interface LengthsShard {
  /** Number of its file: the files in order hold the samples in order. */
  readonly index: number;
  readonly source: number;
  readonly name: string;
}

export function lengthsShardName({ index, source, name }: LengthsShard): string {
  return `${String(index).padStart(6, '0')}:${source}:${name}`;
}

export function lengthsFileName(index: number): string {
  return `${String(index).padStart(6, '0')}.parquet`;
}

function parseShard(shard: string): LengthsShard {
  const [, index, source, name] = /^(\d+):(\d+):(.*)$/s.exec(shard) ?? [];
  return { index: Number(index), source: Number(source), name: name ?? '' };
}

/** Samples under way at once; unusual image headers are parsed by libvips in other threads. */
const CONCURRENCY = 16;

export const task: ShardTask = {
  open: (given) => {
    const config = configSchema.parse(given);
    const context: LengthContext = {
      tokenizer: loadTokenizer(config.tokenizer),
      processor: config.processor,
    };
    const sources = new Map<number, Source>();
    ensureFolder(config.output);
    return {
      run: async (shard) => {
        const { index, source: number, name } = parseShard(shard);
        const spec = config.sources[number];
        if (spec === undefined) throw new Error(`no source ${number}`);
        const source = sources.get(number) ?? (await openSource(spec));
        sources.set(number, source);
        const found = source.shards.find((candidate) => candidate.name === name);
        if (found === undefined) throw new Error(`${spec.path} has no ${name} any more`);
        const rows = await measureEntries(source.read(found), context, config.seed);
        await writeLengthsFile(join(config.output, lengthsFileName(index)), index, rows);
        return rows.length;
      },
    };
  },
};

async function measureEntries(
  entries: AsyncIterable<SourceEntry>,
  context: LengthContext,
  seed: number,
): Promise<(LengthRow | LostRow)[]> {
  const rows: (LengthRow | LostRow)[] = [];
  const measured = mapConcurrent(entries, CONCURRENCY, async (entry) => {
    if (entry.sample === undefined) return { entry, length: entry.lost };
    return { entry, length: await measureOrLose(entry.sample, context) };
  });
  for await (const { entry, length } of measured) {
    if ('reason' in length) {
      rows.push(length);
      continue;
    }
    if (entry.sample === undefined) continue;
    const { sample, at, repeat } = entry;
    rows.push({
      uid: sample.uid,
      source: sample.source,
      ...length,
      images: sample.images.length,
      roles: sample.messages.map((message) => message.role[0]).join(''),
      at,
      repeat,
      size: at.archive === undefined ? recordBytes(sample) : (at.size ?? 0),
      coin: hashUint32('mix', seed, sample.uid),
    });
  }
  return rows;
}

async function measureOrLose(
  sample: Sample,
  context: LengthContext,
): Promise<{ tokens: number; patches: number } | LostRow> {
  try {
    return await measureSample(sample, context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { uid: sample.uid, reason, numSamples: 1 };
  }
}

/** What the record of a sample would take in an archive of ours. */
function recordBytes(sample: Sample): number {
  const sizes = [
    encodeSampleJson(sample).length,
    ...sample.images.map(({ bytes }) => bytes.length),
  ];
  return sizes.reduce((sum, size) => sum + TAR_BLOCK + paddedSize(size), 0);
}
