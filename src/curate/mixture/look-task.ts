// What there is to mix, shard by shard as a task: a row a record, with the source of the mixture that
// it belongs to and why it cannot be taught, if it cannot.
import { join } from 'node:path';
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { ensureFolder } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';
import { readJsonl, writeJsonl } from '../../core/jsonl.ts';
import {
  eachLost,
  type SourceEntry,
  type SourceSpec,
  sourceSpecSchema,
} from '../../sample/sources/source.ts';
import { type MixtureConfig, mixtureSchema, sourceResolver } from './config.ts';
import { faultOf } from './figures.ts';
import { inputShards, openInputs } from './inputs.ts';

/** One record of an input. */
export interface MixtureRow {
  readonly uid: string;
  /** Name in the mixture; left out when it is in no category. */
  readonly source?: string | undefined;
  /** Of its images. */
  readonly bytes: number;
  readonly fault?: string | undefined;
}

/** Config of the task, as JSON. */
export interface LookSpec {
  readonly inputs: readonly SourceSpec[];
  /** Folder of the rows. */
  readonly rows: string;
  readonly config: MixtureConfig;
}

const specSchema: z.ZodType<LookSpec> = z.strictObject({
  inputs: z.array(sourceSpecSchema),
  rows: z.string(),
  config: mixtureSchema,
});

const rowSchema: z.ZodType<MixtureRow> = z.strictObject({
  uid: z.string(),
  source: z.string().optional(),
  bytes: z.int().nonnegative(),
  fault: z.string().optional(),
});

export const task: ShardTask = {
  open: async (given) => {
    const { inputs, rows, config } = specSchema.parse(given);
    const shards = new Map(inputShards(await openInputs(inputs)).map((one) => [one.name, one]));
    const resolve = sourceResolver(config);
    ensureFolder(rows);
    return {
      run: async (name) => {
        const one = shards.get(name);
        if (one === undefined) throw new Error(`the inputs have no shard ${name}`);
        return await writeJsonl(rowsPath(rows, name), look(one.input.read(one.shard), resolve));
      },
    };
  },
};

/** The rows of a shard, in the order of its records. */
export async function* readRows(
  folder: string,
  shard: string,
): AsyncGenerator<MixtureRow, void, undefined> {
  for await (const row of readJsonl(rowsPath(folder, shard))) yield rowSchema.parse(row);
}

function rowsPath(folder: string, shard: string): string {
  return join(folder, `${sha256Hex(shard).slice(0, 16)}.jsonl`);
}

async function* look(
  entries: AsyncIterable<SourceEntry>,
  resolve: (source: string) => string | undefined,
): AsyncGenerator<MixtureRow, void, undefined> {
  for await (const { sample, lost } of entries) {
    if (sample === undefined) {
      for (const { uid, reason: fault } of eachLost(lost)) yield { uid, bytes: 0, fault };
      continue;
    }
    const bytes = sample.images.reduce((sum, image) => sum + image.bytes.length, 0);
    const { uid, source } = sample;
    yield { uid, source: resolve(source), bytes, fault: faultOf(sample) };
  }
}
