// The pack stage: measure, draw the mix, plan, write, report. Resumable and deterministic.

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Cluster } from '../cluster/run-shards.ts';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sweepTemporary } from '../core/files.ts';
import { hashUint32 } from '../core/hash.ts';
import type { Logger } from '../core/log.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  readManifest,
  writeManifest,
} from '../sample/manifest.ts';
import { createSkipCounter } from '../sample/skips.ts';
import { openSource } from '../sample/sources/open.ts';
import type { Source } from '../sample/sources/source.ts';
import type { PackConfig, PackInput } from './config.ts';
import { writeEnergonMeta } from './energon/meta.ts';
import { shuffle } from './fit/shuffle.ts';
import { layoutOf } from './layouts/layouts.ts';
import { type Measured, measureInputs, type SampleTable } from './lengths/table.ts';
import { tokenizerHash } from './lengths.ts';
import { type Draws, drawCounts, drawMix } from './mixture.ts';
import { type Lengths, type PackPlan, planPacks } from './plan.ts';
import { writePackTable } from './write/pack-table.ts';
import { type PackMembers, writePacks } from './write.ts';

export interface PackOptions {
  /** The mix: finished folders of samples. */
  readonly inputs: readonly PackInput[];
  /** Folder of the pack set; created. */
  readonly output: string;
  readonly config: PackConfig;
  /** Folder with tokenizer.json and tokenizer_config.json. */
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  /** Where the shards are treated; default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

/**
 * Format of unfinished work: measured lengths, plans, placements, results of shards. Raise it with any of them,
 * so that work of an older version is begun anew.
 */
const WORK_FORMAT = 3;
/** Bytes of input from which on several processes are worth their start. */
const MANY_BYTES = 256 * 1024 * 1024;

/** A pack set under way. */
interface Job extends PackOptions {
  readonly sources: readonly Source[];
  readonly hash: string;
  /** Folder of unfinished work, named after the settings; removed at the end. */
  readonly work: string;
  readonly workers: number;
}

/**
 * Packs a mix of sources. Does nothing when `output` is finished with the same settings and inputs.
 * Samples that no pack can hold are left out and listed in `ledger.jsonl`, never cut.
 *
 * @returns the manifest: counts of packs, samples and tokens; fill, lower bound and gap.
 * @throws OneVisionError 'data' for inputs that are empty or unreadable beyond `maxSkipRate`.
 */
export async function pack(options: PackOptions): Promise<Manifest> {
  const job = await openJob(options);
  const { output, config, hash, log } = job;
  if (isComplete(output, hash)) {
    removeWork(output, () => true); // a kill may have come between the manifest and this
    sweepTemporary(output);
    return readManifest(output);
  }
  ensureFolder(output);
  removeWork(output, (name) => name !== basename(job.work));
  const measured = await measure(job);
  const skips = createSkipCounter({ maxRate: config.maxSkipRate });
  const table = await measured.load(skips);
  const draws = drawInputs(job, table);
  const lengths: Lengths = {
    tokens: draws.samples.map((sample) => table.tokens[sample] ?? 0),
    patches: draws.samples.map((sample) => table.patches[sample] ?? 0),
  };
  const { plan, packs } = planDraws(job, lengths, draws, table);
  if (plan.numPacks === 0) throw nothingToPack(job);
  const { layout, maxShardBytes } = config;
  const archives = await writePacks({
    ...job,
    dir: output,
    packs,
    draws,
    table,
    layout,
    maxShardBytes,
  });
  const files = [...archives, await writePackTable(output, packs, lengths)];
  const energon = layoutOf(layout).energon;
  if (energon !== undefined) await writeEnergonMeta(output, archives, energon);
  await writeLedger(join(output, LEDGER), ledgerRows(measured, plan, { draws, lengths }, hash));
  const manifest = describe(job, plan, lengths, files, skips.numSkipped);
  await writeManifest(output, manifest);
  removeWork(output, () => true);
  const numPacked = lengths.tokens.length - plan.overlong.length;
  log.info(
    `packed ${numPacked} samples into ${plan.numPacks} packs: ` +
      `fill ${(100 * plan.fill).toFixed(2)} %, ${(100 * plan.gap).toFixed(2)} % above the lower ` +
      `bound of ${plan.lowerBound}, ${plan.overlong.length} too long`,
  );
  return manifest;
}

async function openJob(options: PackOptions): Promise<Job> {
  const { inputs, output, config, processor } = options;
  const sources = await Promise.all(
    inputs.map(({ dir: path }) => openSource({ path, name: basename(resolve(path)) })),
  );
  const { workers: asked, ...settings } = config;
  const shares = inputs.map((input, i) => ({ ...input, hash: sources[i]?.hash }));
  const hash = hashConfig('pack/2', settings, shares, tokenizerHash(options.tokenizer), processor);
  const isMuch = inputBytes(sources) > MANY_BYTES;
  const workers = asked ?? (isMuch ? availableParallelism() : 1);
  return { ...options, sources, hash, work: join(output, `.work-${hash}-${WORK_FORMAT}`), workers };
}

function inputBytes(sources: readonly Source[]): number {
  const sizes = sources.flatMap((source) =>
    source.shards.map(({ name }) => {
      return statSync(join(source.spec.path, name), { throwIfNoEntry: false })?.size ?? 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Unfinished work of other settings or versions is of no use any more. */
function removeWork(dir: string, which: (name: string) => boolean): void {
  const folders = readdirSync(dir).filter((name) => name.startsWith('.work-'));
  for (const name of folders.filter(which)) rmSync(join(dir, name), { recursive: true });
}

async function measure(job: Job): Promise<Measured> {
  const { sources, work, workers, log, tokenizer, processor, config } = job;
  const output = join(job.output, 'lengths');
  const isNew = !existsSync(work);
  if (isNew) rmSync(output, { recursive: true, force: true });
  return await measureInputs({
    inputs: sources,
    config: {
      sources: sources.map((source) => source.spec),
      tokenizer,
      processor,
      seed: config.seed,
      output,
    },
    work,
    workers,
    cluster: job.cluster,
    rule: layoutOf(config.layout).rule,
    log,
  });
}

function drawInputs({ inputs, config }: Job, table: SampleTable): Draws {
  const { inputFirsts: firsts } = table;
  const available = inputs.map((_, i) => (firsts[i + 1] ?? 0) - (firsts[i] ?? 0));
  return drawMix(table.coins, firsts, drawCounts(inputs, available, config.samples));
}

/** The plan, and its packs; where the layout has no packs, every sample on its own, shuffled. */
function planDraws(
  { config }: Job,
  lengths: Lengths,
  draws: Draws,
  table: SampleTable,
): { plan: PackPlan; packs: PackMembers } {
  const { maxTokens, maxPatches, maxSegments, seed, multiple } = config;
  const limits = { tokens: maxTokens, patches: maxPatches, segments: maxSegments };
  const apart = config.keepSourcesApart
    ? draws.samples.map((sample) => table.sourceOf[sample] ?? 0)
    : undefined;
  const plan = planPacks(lengths, limits, { seed, multiple, apart });
  if (!layoutOf(config.layout).single) return { plan, packs: plan };
  const members = plan.members.slice();
  shuffle(members, hashUint32('unpacked', seed));
  const starts = Uint32Array.from({ length: members.length + 1 }, (_, i) => i);
  return { plan, packs: { starts, members } };
}

/** A ledger row for every sample that no pack holds. */
async function* ledgerRows(
  measured: Measured,
  plan: PackPlan,
  { draws, lengths }: { readonly draws: Draws; readonly lengths: Lengths },
  configHash: string,
): AsyncGenerator<LedgerRow, void, undefined> {
  for await (const { uid, verdict, reason } of measured.leftOut()) {
    yield { uid, stage: 'pack', verdict, reason, configHash };
  }
  const samples = plan.overlong.map(({ sample: draw }) => draws.samples[draw] ?? 0);
  const uids = await measured.uids(new Set(samples));
  for (const [i, { sample: draw, reason }] of plan.overlong.entries()) {
    const uid = uids.get(samples[i] ?? -1) ?? '';
    const why = `more ${reason} than a pack holds`;
    const score = lengths[reason][draw] ?? 0;
    yield { uid, stage: 'pack', verdict: 'drop', reason: why, score, configHash };
  }
}

function nothingToPack({ inputs, output }: Job): OneVisionError {
  return new OneVisionError(
    'data',
    `expected samples to pack in ${inputs.length} inputs, came none`,
    { hint: `see ${join(output, 'lengths')} for their lengths: none is within a pack` },
  );
}

function describe(
  job: Job,
  plan: PackPlan,
  lengths: Lengths,
  files: Manifest['files'],
  numSkipped: number,
): Manifest {
  const { config, processor, tokenizer, hash } = job;
  const sum = (values: Uint32Array): number =>
    plan.members.reduce((total, draw) => total + (values[draw] ?? 0), 0);
  return {
    format: 'onevision/1',
    kind: 'packs',
    stage: 'pack',
    configHash: hash,
    counts: {
      packs: plan.numPacks,
      samples: lengths.tokens.length - plan.overlong.length,
      tokens: sum(lengths.tokens),
      patches: sum(lengths.patches),
      overlong: plan.overlong.length,
      skipped: numSkipped,
    },
    files,
    stats: {
      fill: plan.fill,
      lowerBound: plan.lowerBound,
      gap: plan.gap,
      maxTokens: config.maxTokens,
      maxPatches: config.maxPatches,
      layout: config.layout,
      tokenizer: tokenizerHash(tokenizer),
      processor: { ...processor },
    },
  };
}
