// Measuring as work in shards: one source shard → one parquet file of lengths. Samples that cannot be
// fetched by byte range later (a row of a parquet file) are laid into a tar archive beside it.
import { join } from 'node:path';
import { z } from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { createFileAtomic, ensureFolder, sweepTemporary } from '../../core/files.ts';
import { hashUint32 } from '../../core/hash.ts';
import { mapConcurrent } from '../../core/pool.ts';
import { type ProcessorConfig, processorSchema } from '../../image/config.ts';
import type { Sample } from '../../sample/sample.ts';
import { encodeSampleJson } from '../../sample/sample-json.ts';
import { openSource } from '../../sample/sources/open.ts';
import {
  SOURCE_FORMATS,
  type Source,
  type SourceEntry,
  type SourceSpec,
} from '../../sample/sources/source.ts';
import { encodeTarMember, TAR_END } from '../../sample/tar.ts';
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
  /** Folder of the archives of samples without a byte range. */
  readonly staged: string;
}

const specSchema: z.ZodType<SourceSpec> = z.strictObject({
  path: z.string(),
  format: z.enum(SOURCE_FORMATS).optional(),
  name: z.string().optional(),
  imageRoot: z.string().optional(),
});
const configSchema: z.ZodType<LengthsConfig> = z.strictObject({
  sources: z.array(specSchema),
  tokenizer: z.string(),
  processor: processorSchema,
  seed: z.number(),
  output: z.string(),
  staged: z.string(),
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

/** The archive of a shard's samples that lie nowhere by byte range. */
export function stagedPath(folder: string, index: number): string {
  return join(folder, `${String(index).padStart(6, '0')}.tar`);
}

function parseShard(shard: string): LengthsShard {
  const [, index, source, name] = /^(\d+):(\d+):(.*)$/s.exec(shard) ?? [];
  return { index: Number(index), source: Number(source), name: name ?? '' };
}

/** Samples under way at once; unusual image headers are parsed by libvips in other threads. */
const CONCURRENCY = 16;
const FLUSH_BYTES = 4 * 1024 * 1024;

export const task: ShardTask = {
  open: (given) => {
    const config = configSchema.parse(given);
    const context: LengthContext = {
      tokenizer: loadTokenizer(config.tokenizer),
      processor: config.processor,
    };
    const sources = new Map<number, Source>();
    ensureFolder(config.output);
    sweepTemporary(config.staged);
    return {
      run: async (shard) => {
        const { index, source: number, name } = parseShard(shard);
        const spec = config.sources[number];
        if (spec === undefined) throw new Error(`no source ${number}`);
        const source = sources.get(number) ?? (await openSource(spec));
        sources.set(number, source);
        const found = source.shards.find((candidate) => candidate.name === name);
        if (found === undefined) throw new Error(`${spec.path} has no ${name} any more`);
        const staged = new Staging(config.staged, index);
        const isInPlace = (sample: Sample): boolean =>
          source.format === 'webdataset' && !/~\d+$/.test(sample.uid);
        const how = { context, seed: config.seed, staged, isInPlace };
        const rows = await measureEntries(source.read(found), how);
        await staged.close();
        await writeLengthsFile(join(config.output, lengthsFileName(index)), index, rows);
        return rows.length;
      },
    };
  },
};

interface MeasureHow {
  readonly context: LengthContext;
  readonly seed: number;
  readonly staged: Staging;
  /** Whether its byte range alone gives the sample again: a record in an archive, its key its own. */
  isInPlace(sample: Sample): boolean;
}

async function measureEntries(
  entries: AsyncIterable<SourceEntry>,
  { context, seed, staged, isInPlace }: MeasureHow,
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
    const { sample } = entry;
    if (sample === undefined) continue;
    const range = (isInPlace(sample) ? entry.range : undefined) ?? (await staged.add(sample));
    rows.push({
      uid: sample.uid,
      source: sample.source,
      ...length,
      images: sample.images.length,
      roles: sample.messages.map((message) => message.role[0]).join(''),
      ...range,
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

/** An archive of samples that lie nowhere by byte range. Made when the first one comes. */
class Staging {
  readonly #folder: string;
  readonly #path: string;
  #file: Awaited<ReturnType<typeof createFileAtomic>> | undefined;
  #pending: Buffer[] = [];
  #numPending = 0;
  #end = 0;
  #count = 0;

  constructor(folder: string, index: number) {
    this.#folder = folder;
    this.#path = stagedPath(folder, index);
  }

  async add(sample: Sample): Promise<{ path: null; start: number; size: number }> {
    ensureFolder(this.#folder);
    this.#file ??= await createFileAtomic(this.#path);
    const key = String(this.#count).padStart(8, '0');
    this.#count += 1;
    const start = this.#end;
    for (const { name, bytes } of sample.images)
      this.#push(encodeTarMember(`${key}.${name}`, bytes));
    this.#push(encodeTarMember(`${key}.json`, encodeSampleJson(sample)));
    if (this.#numPending >= FLUSH_BYTES) await this.#flush();
    return { path: null, start, size: this.#end - start };
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    this.#push(Buffer.from(TAR_END));
    await this.#flush();
    await this.#file.commit();
  }

  #push(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#numPending += bytes.length;
    this.#end += bytes.length;
  }

  async #flush(): Promise<void> {
    await this.#file?.write(Buffer.concat(this.#pending));
    this.#pending = [];
    this.#numPending = 0;
  }
}
