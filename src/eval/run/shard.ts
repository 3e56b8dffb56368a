// One shard of a benchmark: the items of some rows. Results are appended one by one, so that a killed
// run asks nothing again that was answered; a finished shard is one file in the order of its items.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder, writeFileAtomic } from '../../core/files.ts';
import { openJsonl, readJsonlSync } from '../../core/jsonl.ts';
import { askItems } from '../ask.ts';
import type { Benchmark } from '../benchmark.ts';
import type { EvalModel } from '../eval-model.ts';
import type { EvalItem, ItemSource } from '../items.ts';
import { type ItemResult, itemResultSchema } from '../outcome.ts';
import type { References } from '../references.ts';

/** Rows [from, to) of a benchmark. */
export interface Shard {
  readonly from: number;
  readonly to: number;
}

export interface ShardOptions<P> {
  readonly model: EvalModel<P>;
  readonly benchmark: Benchmark;
  readonly source: ItemSource;
  /** Folder of the shards of this benchmark, data and model. */
  readonly folder: string;
  readonly references: References;
  /** Results of an earlier run, by uid. */
  readonly known: ReadonlyMap<string, ItemResult>;
  /** Items prepared at once. */
  readonly window: number;
  readonly onAnswer: () => void;
}

/** Pictures grow up to a hundredfold when they are prepared: so many bytes of them at once. */
const WINDOW_BYTES = 16 * 1024 * 1024;

/** The shards of so many rows. */
export function shardsOf(numRows: number, rowsPerShard: number): Shard[] {
  const shards: Shard[] = [];
  for (let from = 0; from < numRows; from += rowsPerShard) {
    shards.push({ from, to: Math.min(numRows, from + rowsPerShard) });
  }
  return shards;
}

function shardFile(folder: string, { from, to }: Shard, suffix: string): string {
  return join(folder, `${String(from).padStart(7, '0')}-${to}${suffix}`);
}

/** Results in the order of their items; asks what was not answered yet. */
export async function askShard<P>(shard: Shard, options: ShardOptions<P>): Promise<ItemResult[]> {
  const { folder, source } = options;
  const finished = shardFile(folder, shard, '.jsonl');
  if (existsSync(finished)) return readResults(finished);
  ensureFolder(folder);
  const partial = shardFile(folder, shard, '.partial');
  const done = new Map(options.known);
  for (const result of readResults(partial)) {
    if (isAnswered(result)) done.set(result.uid, result);
  }
  const order: string[] = [];
  {
    using rows = openJsonl(partial);
    const ask = async (items: readonly EvalItem[]): Promise<void> => {
      const { model, benchmark, references } = options;
      await askItems(model, benchmark, items, references, (result) => {
        rows.append(result);
        done.set(result.uid, result);
        options.onAnswer();
      });
    };
    for await (const window of windows(source.read(shard.from, shard.to), options.window)) {
      for (const { uid } of window) order.push(uid);
      await ask(window.filter(({ uid }) => !done.has(uid)));
    }
  }
  const results = order.flatMap((uid) => done.get(uid) ?? []);
  await writeFileAtomic(finished, results.map((one) => `${JSON.stringify(one)}\n`).join(''));
  rmSync(partial, { force: true });
  return results;
}

async function* windows(
  items: AsyncIterable<EvalItem>,
  count: number,
): AsyncGenerator<EvalItem[], void, undefined> {
  let window: EvalItem[] = [];
  let numBytes = 0;
  for await (const item of items) {
    window.push(item);
    numBytes += item.images.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (window.length < count && numBytes < WINDOW_BYTES) continue;
    yield window;
    window = [];
    numBytes = 0;
  }
  if (window.length > 0) yield window;
}

/** What got no reply is asked again. */
export function isAnswered({ outcome, reply }: ItemResult): boolean {
  return outcome !== 'model-error' && reply?.failure === undefined;
}

/** @throws OneVisionError 'data' naming the first line that is no result */
export function readResults(file: string): ItemResult[] {
  return readJsonlSync(file).map((row, index) => {
    const parsed = itemResultSchema.safeParse(row);
    if (parsed.success) return parsed.data;
    throw new OneVisionError(
      'data',
      `Expected the result of an item in line ${index + 1} of ${file}:\n${z.prettifyError(parsed.error)}`,
      { hint: 'onevision eval of this version writes it; delete the file to ask anew' },
    );
  });
}
