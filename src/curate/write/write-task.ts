// Writes one output shard as a task: reads the input shards that its plan names and copies the
// samples that stay, each with its concepts in `meta.concepts`.
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { openColumns, sqlText } from '../../sample/columns.ts';
import type { Sample } from '../../sample/sample.ts';
import { openSource } from '../../sample/sources/open.ts';
import { type Source, type SourceSpec, sourceSpecSchema } from '../../sample/sources/source.ts';
import type { ShardFile, ShardWriter } from '../../sample/webdataset.ts';
import { surveyPath } from '../survey/survey-task.ts';
import type { Piece } from './plan.ts';
import { changed, readPlan, samplesAt, writeShardNamed } from './planned-shard.ts';

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

export const task: ShardTask = {
  open: async (config) => {
    const spec = specSchema.parse(config);
    const input = await openSource(spec.input);
    return { run: (name) => writeShard(name, input, spec) };
  },
};

async function writeShard(name: string, input: Source, spec: WriteSpec): Promise<ShardFile> {
  const { pieces } = readPlan(spec.plan, name);
  return await writeShardNamed(spec.output, name, async (writer) => {
    for (const piece of pieces) await writePiece(piece, input, spec, writer);
  });
}

async function writePiece(
  { shard, rows, copies }: Piece,
  input: Source,
  spec: WriteSpec,
  writer: ShardWriter,
): Promise<void> {
  const source = input.shards[shard];
  if (source === undefined) throw changed(input.spec.path);
  const known = await readSurvey(surveyPath(spec.survey, source.name), rows);
  let next = 0;
  for await (const sample of samplesAt(input.read(source), rows)) {
    const found = known[next];
    if (sample === undefined || sample.uid !== found?.uid) throw changed(input.spec.path);
    for (const copy of copiesOf(sample, found.concepts, copies[next] ?? 1)) {
      await writer.write(copy);
    }
    next += 1;
  }
  if (next < rows.length) throw changed(input.spec.path);
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
