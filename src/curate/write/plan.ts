// Which kept sample goes into which output shard: a plan made before anything is written, so that
// shards can be written in any order by any number of processes.
import { shardName } from '../../sample/shards/shard-writer.ts';
import type { Decisions } from '../decide/decisions.ts';
import { SIDES } from '../survey/row.ts';
import type { SurveyTable } from '../survey/survey.ts';

/** Rows of one input shard. */
export interface Piece {
  /** Place of the input shard. */
  readonly shard: number;
  /** Rows within the shard, ascending. */
  readonly rows: readonly number[];
  /** How often each of them is written. */
  readonly copies: readonly number[];
}

export interface OutputShard {
  readonly name: string;
  readonly pieces: readonly Piece[];
}

const MAX_BYTES = 256 * 1024 * 1024;

interface Open {
  shard: number;
  rows: number[];
  copies: number[];
}

/**
 * The shards of each side in the order of the input. A shard ends before it passes `maxSamples` or
 * 256 MiB of images; the repetitions of a sample stay together.
 */
export async function* planShards(
  table: SurveyTable,
  { copies, side }: Decisions,
  maxSamples: number,
): AsyncGenerator<OutputShard, void, undefined> {
  const sides = SIDES.map((prefix) => createShardPlan(prefix, maxSamples));
  let shard = 0;
  for await (const rows of table.query('SELECT idx, bytes FROM survey')) {
    for (const row of rows) {
      const at = row['idx'] as number;
      while (at >= endOf(table, shard)) shard += 1;
      const times = copies[at] as number;
      if (times === 0) continue;
      const place = at - (table.shards[shard]?.firstRow ?? 0);
      const done = sides[side[at] as number]?.add(shard, place, times, Number(row['bytes']));
      if (done !== undefined) yield done;
    }
  }
  for (const one of sides) {
    const last = one.close();
    if (last !== undefined) yield last;
  }
}

function endOf({ shards, numRows }: SurveyTable, shard: number): number {
  const found = shards[shard];
  return found === undefined ? numRows + 1 : found.firstRow + found.numRows;
}

/** Shards of one prefix, filled row by row. */
export interface ShardPlan {
  /** @returns the shard that this row no longer fits into, if it is full. */
  add(shard: number, row: number, times: number, bytes: number): OutputShard | undefined;
  /** The last shard, unless it is empty. */
  close(): OutputShard | undefined;
}

export function createShardPlan(prefix: string, maxSamples: number): ShardPlan {
  let [number, count, bytes] = [0, 0, 0];
  let pieces: Open[] = [];
  const close = (): OutputShard | undefined => {
    if (count === 0) return undefined;
    const shard = { name: shardName(prefix, number), pieces };
    [number, count, bytes, pieces] = [number + 1, 0, 0, []];
    return shard;
  };
  const add = (
    shard: number,
    row: number,
    times: number,
    size: number,
  ): OutputShard | undefined => {
    const isFull = count + times > maxSamples || bytes + size * times > MAX_BYTES;
    const done = isFull ? close() : undefined;
    const last = pieces.at(-1);
    if (last?.shard === shard) {
      last.rows.push(row);
      last.copies.push(times);
    } else pieces.push({ shard, rows: [row], copies: [times] });
    count += times;
    bytes += size * times;
    return done;
  };
  return { add, close };
}
