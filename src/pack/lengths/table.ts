// Every sample of the inputs as columns of numbers in memory, 26 bytes a sample, 34 with JSON lines. Names stay in the
// parquet files and are asked for where a ledger needs them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBValue } from '@duckdb/node-api';
import { type Cluster, runShards } from '../../cluster/run-shards.ts';
import { sweepTemporary } from '../../core/files.ts';
import type { Logger } from '../../core/log.ts';
import { type Columns, openColumns, sqlText } from '../../sample/columns.ts';
import type { SkipCounter } from '../../sample/skips.ts';
import type { Source } from '../../sample/sources/source.ts';
import type { LayoutRule } from '../layouts/layout.ts';
import type { Archive } from '../write/fetch.ts';
import {
  type LengthsConfig,
  type LengthsShard,
  lengthsFileName,
  lengthsShardName,
} from './lengths-task.ts';

/** All samples, those of the first shard of the first input first. `[samples]` */
export interface SampleTable {
  readonly tokens: Uint32Array;
  readonly patches: Uint32Array;
  readonly coins: Uint32Array;
  /** Where its record begins; see `RecordPlace`. */
  readonly starts: Float64Array;
  /** Bytes of its record. */
  readonly sizes: Uint32Array;
  /** Bytes of the line and its number, where inputs have JSON lines; else empty. */
  readonly spans: Uint32Array;
  readonly numbers: Uint32Array;
  /** The samples whose uid ends in `~n`, and n. */
  readonly repeats: ReadonlyMap<number, number>;
  /** Number of its data set in `sources`. */
  readonly sourceOf: Uint16Array;
  readonly sources: readonly string[];
  /** The archive of each shard. */
  readonly archives: readonly Archive[];
  /** First sample of each shard, and the end. */
  readonly shardFirsts: readonly number[];
  /** First sample of each input, and the end. */
  readonly inputFirsts: readonly number[];
}

/** A record that is in no pack. */
export interface LeftOut {
  readonly uid: string;
  readonly verdict: 'drop' | 'error';
  readonly reason: string;
  readonly numSamples: number;
}

export interface MeasureOptions {
  readonly inputs: readonly Source[];
  readonly config: LengthsConfig;
  /** Folder of the piece of work, named after its settings. */
  readonly work: string;
  readonly workers: number;
  readonly cluster?: Cluster | undefined;
  readonly rule: LayoutRule | undefined;
  readonly log: Logger;
}

/** Measures every shard of the inputs that is not measured yet, and opens what was measured. */
export async function measureInputs(options: MeasureOptions): Promise<Measured> {
  const shards = options.inputs
    .flatMap((input, source) => input.shards.map(({ name }) => ({ source, name })))
    .map((shard, index) => ({ ...shard, index }));
  const spec = {
    name: 'measure',
    module: new URL('./lengths-task.ts', import.meta.url).href,
    config: options.config,
    shards: shards.map(lengthsShardName),
  };
  const { work, workers, cluster, log } = options;
  const counts = await runShards(spec, { dir: join(work, 'measure'), workers, cluster, log });
  sweepTemporary(options.config.output);
  return new Measured(options, shards, counts.map(Number));
}

type Visit = (chunk: readonly (readonly DuckDBValue[])[], row: number) => void;

/** The measured inputs, on disk. */
export class Measured {
  readonly #options: MeasureOptions;
  readonly #shards: readonly LengthsShard[];
  readonly #counts: readonly number[];
  /** Samples whose uid another one of the same input had before: shard × 2³² + row. */
  #repeats: Map<number, string> = new Map();

  constructor(options: MeasureOptions, shards: readonly LengthsShard[], counts: readonly number[]) {
    this.#options = options;
    this.#shards = shards;
    this.#counts = counts;
  }

  /** The good samples. Counts the others in `skips`, which throws when they are too many. */
  async load(skips: SkipCounter): Promise<SampleTable> {
    using columns = await this.#open();
    this.#repeats = await this.#findRepeats(columns);
    for await (const row of this.#unreadable(columns)) {
      skips.skip(row.uid, row.reason, row.numSamples);
    }
    const sources = await texts(columns, SOURCES);
    const hasLines = (await texts(columns, LINES)).length > 0;
    const table = allocate(this.#counts, hasLines);
    const repeats = new Map<number, number>();
    const inShard = new Float64Array(this.#shards.length);
    const archives = await this.#archives(columns);
    let end = 0;
    const select = `tokens, patches, coin, start::DOUBLE, size,
      list_position([${sources.map(sqlText).join(', ')}], source) - 1, repeat, span, number`;
    await this.#visit(columns, select, (chunk, row) => {
      const [tokens, patches, coins, starts, sizes, sourceOf, repeat, spans, numbers] = chunk;
      table.tokens[end] = Number(tokens?.[row]);
      table.patches[end] = Number(patches?.[row]);
      table.coins[end] = Number(coins?.[row]);
      table.starts[end] = Number(starts?.[row]);
      table.sizes[end] = Number(sizes?.[row]);
      table.sourceOf[end] = Number(sourceOf?.[row]);
      const times = repeat?.[row] ?? null;
      if (times !== null) repeats.set(end, Number(times));
      if (hasLines) {
        table.spans[end] = Number(spans?.[row] ?? 0);
        table.numbers[end] = Number(numbers?.[row] ?? 0);
      }
      const at = Number(chunk.at(-2)?.[row]);
      inShard[at] = (inShard[at] ?? 0) + 1;
      end += 1;
    });
    skips.good(end);
    skips.check();
    return { ...cutTo(table, end), repeats, sources, archives, ...this.#firsts(inShard) };
  }

  /** The uids of some samples of `load`, ascending. */
  async uids(samples: ReadonlySet<number>): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    if (samples.size === 0) return found;
    using columns = await this.#open();
    let index = 0;
    await this.#visit(columns, 'uid', ([uids], row) => {
      if (samples.has(index)) found.set(index, String(uids?.[row]));
      index += 1;
    });
    return found;
  }

  /** Everything that `load` left out, with the reason. */
  async *leftOut(): AsyncGenerator<LeftOut, void, undefined> {
    using columns = await this.#open();
    yield* this.#unreadable(columns);
    const { rule } = this.#options;
    if (rule === undefined) return;
    const sql = `SELECT uid FROM lengths WHERE lost IS NULL AND NOT (${rule.sql})`;
    for await (const [uids = []] of columns.columnBatches(sql)) {
      for (const uid of uids) {
        yield { uid: String(uid), verdict: 'drop', reason: rule.reason, numSamples: 1 };
      }
    }
  }

  async #open(): Promise<Columns> {
    const { config, work } = this.#options;
    const columns = await openColumns({ memoryMiB: 2048, spillDir: join(work, 'spill') });
    const files = this.#shards.map(({ index }) => join(config.output, lengthsFileName(index)));
    const list = files.filter((file) => existsSync(file)).map(sqlText);
    await columns.run(`CREATE VIEW lengths AS SELECT * FROM read_parquet([${list.join(', ')}])`);
    const inputs = this.#shards.map(({ source }) => source);
    await columns.run('CREATE TABLE inputs (shard UINTEGER, input UINTEGER)');
    await columns.insert(
      'inputs',
      inputs.map((input, shard) => [shard, input]),
    );
    return columns;
  }

  /** Calls back for every sample that may be packed, in order. The last columns are shard and row. */
  async #visit(columns: Columns, select: string, visit: Visit): Promise<void> {
    const rule = this.#options.rule?.sql ?? 'true';
    const sql = `SELECT ${select}, shard, row FROM lengths WHERE lost IS NULL AND (${rule})`;
    for await (const chunk of columns.columnBatches(sql)) {
      const [shards = [], rows = []] = chunk.slice(-2);
      for (let row = 0; row < rows.length; row += 1) {
        const isRepeat =
          this.#repeats.size > 0 &&
          this.#repeats.has(place(Number(shards[row]), Number(rows[row])));
        if (!isRepeat) visit(chunk, row);
      }
    }
  }

  async #findRepeats(columns: Columns): Promise<Map<number, string>> {
    const found = new Map<number, string>();
    let last = '';
    for await (const [uids, inputs, shards, rows] of columns.columnBatches(REPEATS)) {
      uids?.forEach((uid, i) => {
        const name = `${inputs?.[i]}:${uid}`;
        if (name === last) found.set(place(Number(shards?.[i]), Number(rows?.[i])), String(uid));
        last = name;
      });
    }
    return found;
  }

  async *#unreadable(columns: Columns): AsyncGenerator<LeftOut, void, undefined> {
    const sql = 'SELECT uid, lost, samples FROM lengths WHERE lost IS NOT NULL';
    for await (const [uids = [], reasons, samples] of columns.columnBatches(sql)) {
      for (const [i, uid] of uids.entries()) {
        const [reason, numSamples] = [String(reasons?.[i]), Number(samples?.[i])];
        yield { uid: String(uid), verdict: 'error', reason, numSamples };
      }
    }
    for (const uid of this.#repeats.values()) {
      yield { uid, verdict: 'error', reason: 'another sample has the same uid', numSamples: 1 };
    }
  }

  /** Where the records of each shard lie. */
  async #archives(columns: Columns): Promise<Archive[]> {
    const { inputs } = this.#options;
    const paths = new Map<number, string>();
    const sql = 'SELECT shard, archive FROM lengths WHERE archive IS NOT NULL GROUP BY ALL';
    for await (const [shards = [], names] of columns.columnBatches(sql)) {
      shards.forEach((shard, i) => {
        paths.set(Number(shard), String(names?.[i]));
      });
    }
    return this.#shards.map(({ source, name: shard, index }) => {
      const { path, name = '' } = inputs[source]?.spec ?? { path: '' };
      return { path: paths.get(index), source, context: { name, shard, imageRoot: path } };
    });
  }

  #firsts(inShard: Float64Array): Pick<SampleTable, 'shardFirsts' | 'inputFirsts'> {
    const shardFirsts = [0];
    for (const count of inShard) shardFirsts.push((shardFirsts.at(-1) ?? 0) + count);
    const inputFirsts = this.#options.inputs.map((_, input) => {
      const first = this.#shards.findIndex(({ source }) => source === input);
      return shardFirsts[first] ?? 0;
    });
    return { shardFirsts, inputFirsts: [...inputFirsts, shardFirsts.at(-1) ?? 0] };
  }
}

const SOURCES = 'SELECT DISTINCT source FROM lengths WHERE lost IS NULL ORDER BY source';
const LINES = 'SELECT number FROM lengths WHERE number IS NOT NULL LIMIT 1';
const REPEATS = `
  WITH good AS (SELECT uid, input, shard, row FROM lengths JOIN inputs USING (shard)
    WHERE lost IS NULL),
  twice AS (SELECT uid, input FROM good GROUP BY uid, input HAVING count(*) > 1)
  SELECT uid, input, shard, row FROM good JOIN twice USING (uid, input)
  ORDER BY uid, input, shard, row`;

function place(shard: number, row: number): number {
  return shard * 2 ** 32 + row;
}

async function texts(columns: Columns, sql: string): Promise<string[]> {
  const values: string[] = [];
  for await (const [column = []] of columns.columnBatches(sql)) values.push(...column.map(String));
  return values;
}

type Numbers = Pick<
  SampleTable,
  'tokens' | 'patches' | 'coins' | 'starts' | 'sizes' | 'spans' | 'numbers' | 'sourceOf'
>;

function allocate(counts: readonly number[], hasLines: boolean): Numbers {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return {
    tokens: new Uint32Array(total),
    patches: new Uint32Array(total),
    coins: new Uint32Array(total),
    starts: new Float64Array(total),
    sizes: new Uint32Array(total),
    spans: new Uint32Array(hasLines ? total : 0),
    numbers: new Uint32Array(hasLines ? total : 0),
    sourceOf: new Uint16Array(total),
  };
}

function cutTo(table: Numbers, end: number): Numbers {
  return {
    tokens: table.tokens.subarray(0, end),
    patches: table.patches.subarray(0, end),
    coins: table.coins.subarray(0, end),
    starts: table.starts.subarray(0, end),
    sizes: table.sizes.subarray(0, end),
    spans: table.spans.subarray(0, end),
    numbers: table.numbers.subarray(0, end),
    sourceOf: table.sourceOf.subarray(0, end),
  };
}
