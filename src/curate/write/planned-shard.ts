// One output shard whose samples were chosen before: its plan on the disk, the chosen records of an
// input shard, and the file.
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson, writeFileAtomic } from '../../core/files.ts';
import type { Sample } from '../../sample/sample.ts';
import type { SourceEntry } from '../../sample/sources/source.ts';
import { createShardWriter, type ShardFile, type ShardWriter } from '../../sample/webdataset.ts';
import type { OutputShard } from './plan.ts';

const whole = z.int().nonnegative();
const planSchema: z.ZodType<OutputShard> = z.strictObject({
  name: z.string(),
  pieces: z.array(
    z.strictObject({ shard: whole, rows: z.array(whole), copies: z.array(z.int().positive()) }),
  ),
});

export async function writePlan(folder: string, shard: OutputShard): Promise<void> {
  await writeFileAtomic(planPath(folder, shard.name), JSON.stringify(shard));
}

export function readPlan(folder: string, name: string): OutputShard {
  return readJson(planPath(folder, name), planSchema);
}

function planPath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

/** The samples at some places of a shard, which ascend; undefined for a record that is lost. */
export async function* samplesAt(
  entries: AsyncIterable<SourceEntry>,
  rows: readonly number[],
): AsyncGenerator<Sample | undefined, void, undefined> {
  let at = 0;
  let next = 0;
  for await (const { sample, lost } of entries) {
    if (at === rows[next]) {
      yield sample;
      next += 1;
      if (next === rows.length) return;
    }
    at += lost?.numSamples ?? 1;
  }
}

/** What is thrown when a sample is not where it was when it was chosen. */
export function changed(path: string): OneVisionError {
  return new OneVisionError(
    'data',
    `Expected the samples of ${path} as they were first read; they have changed.`,
    { hint: 'run the same command again: it reads what has changed' },
  );
}

/** Write the shard of a name, whatever its size. */
export async function writeShardNamed(
  output: string,
  name: string,
  fill: (writer: ShardWriter) => Promise<void>,
): Promise<ShardFile> {
  const [, prefix = '', number = ''] = /^(.+)-(\d+)\.tar$/.exec(name) ?? [];
  const limits = { maxBytes: Number.POSITIVE_INFINITY, maxSamples: Number.POSITIVE_INFINITY };
  const writer = createShardWriter(output, { prefix, firstShard: Number(number), ...limits });
  try {
    await fill(writer);
    const [file] = await writer.close();
    if (file === undefined) throw new Error(`${name} has no samples`);
    return file;
  } finally {
    await writer.abort();
  }
}
