// Mixes instruction data: looks at what there is, allots, plans, then writes shards, ledger and data
// card. Both passes over the inputs are shared by processes; 8 bytes in memory for each sample.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../../cluster/run-shards.ts';
import { ensureFolder, removeOthers, sweepTemporary, writeFileAtomic } from '../../core/files.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  MANIFEST,
  type Manifest,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import { createSkipCounter } from '../../sample/skips.ts';
import type { SourceSpec } from '../../sample/sources/source.ts';
import { removeWork, runWithProgress, workFolder } from '../run-with-progress.ts';
import { createShardPlan } from '../write/plan.ts';
import { writePlan } from '../write/planned-shard.ts';
import { type Allotment, allot } from './allot.ts';
import { defineMixture, type MixtureConfig, type MixtureInput } from './config.ts';
import { type DataCard, dataCard, dataCardMarkdown } from './data-card.ts';
import { type CoinBag, createCoinBag } from './draw-sources.ts';
import { addCounts, emptyCounts, type MixtureCounts } from './figures.ts';
import { inputShards, openInputs } from './inputs.ts';
import { type LookSpec, readRows } from './look-task.ts';
import { type TakeSpec, takeResultSchema } from './take-task.ts';

export interface MixOptions {
  /** Folders or files in any format of `sample/sources`. */
  readonly inputs: readonly (string | SourceSpec)[];
  /** Gets `train-*.tar`, ledger, DATACARD.md, datacard.json, manifest. */
  readonly output: string;
  readonly config: MixtureInput;
  /** Processes; the result does not depend on it. Default 1: this one. */
  readonly workers?: number;
  /** Where the shards are treated; default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log?: Logger;
}

export const STAGE = 'mixture';

interface Mixing {
  readonly config: MixtureConfig;
  readonly configHash: string;
  /** Names of the shards of all inputs. */
  readonly shards: readonly string[];
  /** Folder of the rows of each shard. */
  readonly rows: string;
  /** Folder of the plans of the output shards. */
  readonly plan: string;
  readonly bags: ReadonlyMap<string, CoinBag>;
}

/**
 * Mix the samples of several sources. Done already with the same settings and inputs: returns at
 * once. Killed: goes on with the shards that are not finished; the result is the same to the byte.
 *
 * @throws OneVisionError 'data' when a category is too small, or too many samples are broken.
 */
export async function mix(options: MixOptions): Promise<Manifest> {
  const { output, workers = 1, cluster, log = processLog } = options;
  const config = defineMixture(options.config);
  const inputs = await openInputs(options.inputs);
  const configHash = hashConfig(
    'mixture/2',
    config,
    inputs.map(({ hash }) => hash),
  );
  if (isComplete(output, configHash)) {
    removeWork(output); // a kill may have come between the manifest and this
    sweepTemporary(output);
    return readManifest(output);
  }
  const dir = workFolder(output, configHash);
  const [rows, plan] = [join(dir, 'rows'), join(dir, 'plan')];
  for (const folder of [output, plan]) {
    ensureFolder(folder);
    sweepTemporary(folder);
  }
  removeWork(output, configHash);
  rmSync(join(output, MANIFEST), { force: true });
  const specs = inputs.map(({ spec }) => spec);
  const shards = inputShards(inputs).map(({ name }) => name);
  const work = { workers, cluster, log };
  const look: LookSpec = { inputs: specs, rows, config };
  const lookTask = { name: 'look', module: moduleOf('look-task'), config: look, shards };
  await runWithProgress(lookTask, { dir: join(dir, 'look'), ...work });
  const bags = new Map(
    config.categories.flatMap(({ sources }) =>
      sources.map(({ name }) => [name, createCoinBag(config.seed)] as const),
    ),
  );
  const mixing: Mixing = { config, configHash, shards, rows, plan, bags };
  await count(mixing);
  const available = new Map([...bags].map(([name, bag]) => [name, bag.size]));
  const allotments = allot(config, available);
  const { names, numInput, leftOut } = await choose(mixing, allotments, output);
  const take: TakeSpec = { inputs: specs, plan, output, config };
  const takeTask = { name: 'mix', module: moduleOf('take-task'), config: take, shards: names };
  const results = await runWithProgress(takeTask, { dir: join(dir, 'take'), ...work });
  const written = results.map((result) => takeResultSchema.parse(result));
  removeOthers(output, /^train-\d{6}\.tar$/, new Set(names));
  const counts = sumBySource(written.map((result) => result.counts));
  const card = dataCard(config, allotments, counts, { configHash, leftOut });
  await writeFileAtomic(join(output, 'DATACARD.md'), dataCardMarkdown(card));
  await writeFileAtomic(join(output, 'datacard.json'), `${JSON.stringify(card, null, 2)}\n`);
  const files = written.map(({ file }) => file);
  const manifest = toManifest(card, files, numInput, configHash);
  await writeManifest(output, manifest);
  removeWork(output);
  log.info(`mixed ${card.total.samples} of ${numInput} samples`);
  return manifest;
}

function moduleOf(name: string): string {
  return new URL(`./${name}.ts`, import.meta.url).href;
}

/** Counts the samples of each source. @throws OneVisionError 'data' when too many are broken. */
async function count({ config, shards, rows, bags }: Mixing): Promise<void> {
  const skips = createSkipCounter({ maxRate: config.maxSkipRate });
  for (const shard of shards) {
    for await (const { uid, source = '', fault } of readRows(rows, shard)) {
      if (fault === undefined) {
        skips.good();
        bags.get(source)?.add(uid);
      } else skips.skip(uid, fault);
    }
  }
  skips.check();
}

interface Choice {
  /** The shards to write. */
  readonly names: readonly string[];
  readonly numInput: number;
  readonly leftOut: DataCard['leftOut'];
}

/** Plans the shards and writes the ledger. */
async function choose(
  mixing: Mixing,
  allotments: readonly Allotment[],
  output: string,
): Promise<Choice> {
  const names: string[] = [];
  const leftOut = { noCategory: 0, errors: 0 };
  const ledger = chooseRows(mixing, allotments, names, leftOut);
  const numInput = await writeLedger(join(output, LEDGER), ledger);
  return { names, numInput, leftOut };
}

/** One ledger row for each record; what is taken goes into the plan. */
async function* chooseRows(
  { config, configHash, shards, rows, plan, bags }: Mixing,
  allotments: readonly Allotment[],
  names: string[],
  leftOut: { noCategory: number; errors: number },
): AsyncGenerator<LedgerRow, void, undefined> {
  const draws = new Map(
    allotments.map(({ source, taken }) => [source, bags.get(source)?.draw(taken)]),
  );
  const planned = createShardPlan('train', config.samplesPerShard);
  const own = { stage: STAGE, configHash };
  const save = async (shard: ReturnType<typeof planned.close>): Promise<void> => {
    if (shard === undefined) return;
    await writePlan(plan, shard);
    names.push(shard.name);
  };
  for (const [number, shard] of shards.entries()) {
    let place = 0;
    for await (const { uid, source = '', bytes, fault } of readRows(rows, shard)) {
      const draw = draws.get(source);
      if (fault !== undefined) {
        leftOut.errors += 1;
        yield { uid, verdict: 'error', reason: fault, ...own };
      } else if (draw === undefined) {
        leftOut.noCategory += 1;
        yield { uid, verdict: 'drop', reason: 'no-category', ...own };
      } else if (draw(uid)) {
        await save(planned.add(number, place, 1, bytes));
        yield { uid, verdict: 'keep', reason: 'taken', ...own };
      } else yield { uid, verdict: 'drop', reason: 'not-taken', ...own };
      place += 1;
    }
  }
  await save(planned.close());
}

function sumBySource(
  parts: readonly Readonly<Record<string, MixtureCounts>>[],
): Map<string, MixtureCounts> {
  const sums = new Map<string, MixtureCounts>();
  for (const [source, counts] of parts.flatMap((part) => Object.entries(part))) {
    sums.set(source, addCounts(sums.get(source) ?? emptyCounts(), counts));
  }
  return sums;
}

function toManifest(
  card: DataCard,
  files: Manifest['files'],
  numInput: number,
  configHash: string,
): Manifest {
  const { samples, images } = card.total;
  return {
    format: 'onevision/1',
    kind: 'samples',
    stage: STAGE,
    configHash,
    counts: { input: numInput, samples, images },
    files,
    stats: { categories: JSON.parse(JSON.stringify(card.categories)), seed: card.seed },
  };
}
