// What a report on packs shows: distributions from the table of costs, and some real packs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashUint32 } from '../../core/hash.ts';
import { openColumns } from '../../sample/columns.ts';
import { type Manifest, readManifest } from '../../sample/manifest.ts';
import { costOf, DEFAULT_COST } from '../balance/cost.ts';
import { balanceSteps, syncEfficiency } from '../balance/steps.ts';
import { openPacks, type PackFacts } from '../read.ts';
import type { Pack } from '../record.ts';
import { readPackTable } from '../write/pack-table.ts';

/** Counts of equal-width bins from `low` to `high`. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

export interface PackSurvey {
  readonly manifest: Manifest;
  readonly facts: PackFacts;
  readonly segments: Histogram;
  /** Tokens left free in a pack. */
  readonly free: Histogram;
  /** Σ tokens² of a pack over capacity². */
  readonly attention: Histogram;
  readonly patches: Histogram;
  /** Samples and tokens of each source; empty where the set has no lengths. */
  readonly sources: readonly {
    readonly name: string;
    readonly samples: number;
    readonly tokens: number;
  }[];
  /** Share of the time that ranks compute, by the cost model: packs in random order, and arranged. */
  readonly balance: readonly {
    readonly ranks: number;
    readonly random: number;
    readonly arranged: number;
  }[];
  readonly shown: readonly Pack[];
}

const NUM_BINS = 40;
const BALANCE_RANKS = [8, 128, 1024];
const BALANCE_STEPS = 256;

/**
 * Looks at a pack set. `numShown` packs are drawn by the seed.
 * @throws OneVisionError 'data' when it is unfinished.
 */
export async function surveyPacks(dir: string, numShown: number, seed = 0): Promise<PackSurvey> {
  const manifest = readManifest(dir);
  using reader = openPacks(dir);
  const { facts, numPacks } = reader;
  const costs = await readPackTable(dir);
  const drawn = Array.from({ length: Math.min(numShown, numPacks) }, (_, i) =>
    numPacks <= numShown ? i : hashUint32('report', seed, i) % numPacks,
  );
  const squares = costs.map((cost) => cost.squares);
  const modelled = Float64Array.from(costs, ({ squares: attention, tokens, patchSquares }) =>
    costOf(DEFAULT_COST, [attention, tokens, patchSquares]),
  );
  return {
    manifest,
    facts,
    segments: histogram(costs.map((cost) => cost.segments)),
    free: histogram(costs.map((cost) => facts.maxTokens - cost.tokens)),
    attention: histogram(squares.map((value) => value / facts.maxTokens ** 2)),
    patches: histogram(costs.map((cost) => cost.patches)),
    sources: await sourcesOf(dir),
    balance: BALANCE_RANKS.map((ranks) => balanceOf(modelled, ranks, seed)),
    shown: [...new Set(drawn)].sort((a, b) => a - b).map((pack) => reader.read(pack)),
  };
}

export function histogram(values: readonly number[]): Histogram {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { low: 0, high: 1, counts: [] };
  const isWhole = values.every(Number.isInteger);
  const width = isWhole
    ? Math.max(1, Math.ceil((high - low + 1) / NUM_BINS))
    : (high - low) / NUM_BINS || 1;
  const numBins = isWhole ? Math.ceil((high - low + 1) / width) : NUM_BINS;
  const counts = new Array<number>(numBins).fill(0);
  for (const value of values) {
    const bin = Math.min(numBins - 1, Math.floor((value - low) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { low, high: low + width * numBins, counts };
}

/** Steps of one pack a rank: the slowest rank is waited for. */
function balanceOf(
  costs: Float64Array,
  ranks: number,
  seed: number,
): PackSurvey['balance'][number] {
  const order = new Uint32Array(2 * ranks * BALANCE_STEPS);
  for (let i = 0; i < order.length; i += 2)
    order[i] = hashUint32('balance', seed, i) % costs.length;
  const shape = { packsPerStep: ranks, ranks };
  const arranged = balanceSteps(order, costs, shape, seed);
  return {
    ranks,
    random: syncEfficiency(order, costs, shape),
    arranged: syncEfficiency(arranged, costs, shape),
  };
}

async function sourcesOf(dir: string): Promise<PackSurvey['sources']> {
  if (!existsSync(join(dir, 'lengths'))) return [];
  using columns = await openColumns({ memoryMiB: 1024 });
  const sql = `SELECT source, count(*)::DOUBLE, sum(tokens)::DOUBLE FROM read_parquet($1)
    WHERE lost IS NULL GROUP BY source ORDER BY 3 DESC, 1`;
  const found: PackSurvey['sources'][number][] = [];
  for await (const chunk of columns.columnBatches(sql, [join(dir, 'lengths', '*.parquet')])) {
    const [names = [], samples, tokens] = chunk;
    names.forEach((name, i) => {
      found.push({
        name: String(name),
        samples: Number(samples?.[i]),
        tokens: Number(tokens?.[i]),
      });
    });
  }
  return found;
}
