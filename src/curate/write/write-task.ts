// Writes one output shard as a task: reads the input shards that its plan names and copies the
// samples that stay, each with its concepts in `meta.concepts`.
import { join } from 'node:path';
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import { openColumns, sqlText } from '../../sample/columns.ts';
import type { Sample } from '../../sample/sample.ts';
import { openSource } from '../../sample/sources/open.ts';
import { type Source, type SourceSpec, sourceSpecSchema } from '../../sample/sources/source.ts';
import { createShardWriter, type ShardFile, type ShardWriter } from '../../sample/webdataset.ts';
import { surveyPath } from '../survey/survey-task.ts';
import type { OutputShard, Piece } from './plan.ts';

/** Config of the task, as JSON. */
export interface WriteSpec {
  readonly input: SourceSpec;
  /** Folder of the survey. */
  readonly survey: string;
  /** Folder with a file for each output shard. */
  readonly plan: string;
  readonly output: string;
}

const specSchema: z.ZodType<WriteSpec> = z.strictObject({
  input: sourceSpecSchema,
  survey: z.string(),
  plan: z.string(),
  output: z.string(),
});

const whole = z.int().nonnegative();
const planSchema: z.ZodType<OutputShard> = z.strictObject({
  name: z.string(),
  pieces: z.array(
    z.strictObject({ shard: whole, rows: z.array(whole), copies: z.array(z.int().positive()) }),
  ),
});

export const task: ShardTask = {
  open: async (config) => {
    const spec = specSchema.parse(config);
    const input = await openSource(spec.input);
    return { run: (name) => writeShard(name, input, spec) };
  },
};

/** The file with the plan of an output shard. */
export function planPath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

async function writeShard(name: string, input: Source, spec: WriteSpec): Promise<ShardFile> {
  const { pieces } = readJson(planPath(spec.plan, name), planSchema);
  const [, prefix = '', number = ''] = /^(.+)-(\d+)\.tar$/.exec(name) ?? [];
  const limits = { maxBytes: Number.POSITIVE_INFINITY, maxSamples: Number.POSITIVE_INFINITY };
  const options = { prefix, firstShard: Number(number), ...limits };
  const writer = createShardWriter(spec.output, options);
  try {
    for (const piece of pieces) await writePiece(piece, input, spec, writer);
    const [file] = await writer.close();
    if (file === undefined) throw new Error(`${name} has no samples`);
    return file;
  } finally {
    await writer.abort();
  }
}

async function writePiece(
  { shard, rows, copies }: Piece,
  input: Source,
  spec: WriteSpec,
  writer: ShardWriter,
): Promise<void> {
  const source = input.shards[shard];
  if (source === undefined) throw changed(input);
  const known = await readSurvey(surveyPath(spec.survey, source.name), rows);
  let at = 0;
  let next = 0;
  for await (const { sample, lost } of input.read(source)) {
    if (at === rows[next]) {
      const found = known[next];
      if (sample === undefined || sample.uid !== found?.uid) throw changed(input);
      for (const copy of copiesOf(sample, found.concepts, copies[next] ?? 1)) {
        await writer.write(copy);
      }
      next += 1;
      if (next === rows.length) return;
    }
    at += lost?.numSamples ?? 1;
  }
  throw changed(input);
}

interface Known {
  readonly uid: string;
  readonly concepts: readonly string[];
}

/** uid and concepts of some rows of a shard, which ascend. */
async function readSurvey(path: string, rows: readonly number[]): Promise<Known[]> {
  using columns = await openColumns();
  const known: Known[] = [];
  let at = 0;
  const sql = `SELECT uid, concepts FROM read_parquet(${sqlText(path)})`;
  for await (const batch of columns.batches(sql)) {
    for (const row of batch) {
      if (at++ !== rows[known.length]) continue;
      known.push({ uid: row['uid'] as string, concepts: row['concepts'] as string[] });
    }
  }
  return known;
}

function copiesOf(sample: Sample, concepts: readonly string[], times: number): Sample[] {
  const meta = { ...sample.meta, concepts };
  return Array.from({ length: times }, (_, i) => {
    const uid = i === 0 ? sample.uid : `${sample.uid}#${i + 1}`;
    return { ...sample, uid, meta };
  });
}

function changed(input: Source): OneVisionError {
  return new OneVisionError(
    'data',
    `Expected the samples of ${input.spec.path} as they were surveyed; they have changed.`,
    { hint: 'run the same command again: it surveys what has changed' },
  );
}
