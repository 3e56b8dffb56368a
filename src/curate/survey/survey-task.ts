// The survey of one shard as a task: every record becomes a row of a parquet file. Any number of
// processes share the shards (src/cluster).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardTask } from '../../cluster/task.ts';
import { fillFileAtomic } from '../../core/files.ts';
import { mapConcurrent } from '../../core/pool.ts';
import { type Columns, openColumns, sqlText } from '../../sample/columns.ts';
import { openSource } from '../../sample/sources/open.ts';
import {
  eachLost,
  type LostSamples,
  type Source,
  type SourceShard,
} from '../../sample/sources/source.ts';
import { type Instruments, openInstruments } from './instruments.ts';
import { measure } from './measure.ts';
import { cellsOf, columnList, emptyRow, type SurveyRow } from './row.ts';
import { type ParsedSpec, surveySpecSchema } from './settings.ts';

const NUM_DECODING = 4;

/** What the survey of a shard returns. */
export interface ShardSurvey {
  readonly numRows: number;
}

export const task: ShardTask = {
  open: async (config) => {
    const spec = surveySpecSchema.parse(config);
    const input = await openSource(spec.input);
    const shards = new Map(input.shards.map((shard) => [shard.name, shard]));
    const instruments = await openInstruments(spec);
    return {
      run: (name) => {
        const shard = shards.get(name);
        if (shard === undefined) throw new Error(`the input has no shard ${name}`);
        return surveyShard(shard, input, spec, instruments);
      },
    };
  },
};

/** The file with the rows of a shard. */
export function surveyPath(folder: string, shard: string): string {
  return join(folder, `${shard.replaceAll('/', '__')}.parquet`);
}

async function surveyShard(
  shard: SourceShard,
  input: Source,
  spec: ParsedSpec,
  instruments: Instruments,
): Promise<ShardSurvey> {
  const path = surveyPath(spec.folder, shard.name);
  const filters = instruments.filters.map((filter) => filter.name);
  using columns = await openColumns();
  if (existsSync(path)) return { numRows: await countRows(columns, path) };
  await columns.run(`CREATE TABLE survey (${columnList(filters)})`);
  let numRows = 0;
  const cells = async function* () {
    const rows = mapConcurrent(input.read(shard), NUM_DECODING, async ({ sample, lost }) =>
      sample === undefined ? lostRows(lost) : [await measure(sample, instruments)],
    );
    for await (const list of rows) {
      numRows += list.length;
      for (const row of list) yield cellsOf(row, filters.length);
    }
  };
  await columns.insert('survey', cells());
  const options = '(FORMAT parquet, COMPRESSION zstd)';
  await fillFileAtomic(path, (temporary) =>
    columns.run(`COPY survey TO ${sqlText(temporary)} ${options}`),
  );
  return { numRows };
}

/** Of an earlier survey whose markers are gone; it has its name, so it is whole. */
async function countRows(columns: Columns, path: string): Promise<number> {
  const sql = `SELECT count(*)::INTEGER AS count FROM read_parquet(${sqlText(path)})`;
  for await (const [row] of columns.batches(sql)) return row?.['count'] as number;
  return 0;
}

function lostRows(lost: LostSamples): SurveyRow[] {
  return eachLost(lost).map(({ uid, reason }) => ({ ...emptyRow(uid), error: reason }));
}
