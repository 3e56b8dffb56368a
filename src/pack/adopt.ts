// Packs that others released, such as LLaVA-558K-Webdataset, made ready for training as they are: their
// archives are not copied; each pack is located and each sample measured with this tokenizer.
import { existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { type Cluster, runShards } from '../cluster/run-shards.ts';
import { OneVisionError } from '../core/errors.ts';
import { ensureFolder, sweepTemporary } from '../core/files.ts';
import { sha256Hex } from '../core/hash.ts';
import type { Logger } from '../core/log.ts';
import type { ProcessorConfig } from '../image/config.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  type ManifestFile,
  readManifest,
  writeManifest,
} from '../sample/manifest.ts';
import { createSkipCounter } from '../sample/skips.ts';
import { type AdoptConfig, type AdoptedShard, adoptedName } from './adopt/adopt-task.ts';
import { recordPlaces } from './energon/records.ts';
import type { LayoutName } from './layouts/layout.ts';
import { tokenizerHash } from './lengths.ts';
import { FilePool, sliceMembers } from './ranges.ts';
import { readAdopted } from './read.ts';
import { writePackTable } from './write/pack-table.ts';

export interface AdoptOptions {
  /** Folder of archives with packed records. */
  readonly input: string;
  /** Folder of the pack set; created. Small: the archives stay where they are. */
  readonly output: string;
  readonly tokenizer: string;
  readonly processor: ProcessorConfig;
  /** Packs that are longer are left out. Default 8192. */
  readonly maxTokens?: number;
  /** Default 32,768. */
  readonly maxPatches?: number;
  /** Share of unreadable samples and packs above which it fails. Default 0.001. */
  readonly maxSkipRate?: number;
  readonly workers?: number | undefined;
  /** Where the shards are treated; default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log: Logger;
}

/**
 * Makes a pack set of foreign packs. Does nothing when that is done.
 * @throws OneVisionError 'data' when there is no pack, or too many cannot be read.
 */
export async function adoptPacks(options: AdoptOptions): Promise<Manifest> {
  const { output, tokenizer, processor, log } = options;
  const input = resolve(options.input);
  const archives = globSync('**/*.tar', { cwd: input }).sort();
  const layout = detectLayout(input, archives);
  const { maxTokens = 8192, maxPatches = 32_768 } = options;
  const limits = { maxTokens, maxPatches };
  const sizes = archives.map((name) => [name, statSync(join(input, name)).size]);
  const hash = hashConfig('adopt', sizes, tokenizerHash(tokenizer), processor, limits);
  const work = join(output, `.work-${hash}`);
  if (isComplete(output, hash)) {
    rmSync(work, { recursive: true, force: true }); // a kill may have come between the two
    return readManifest(output);
  }
  ensureFolder(output);
  sweepTemporary(output);
  const config: AdoptConfig = { input, output, layout, tokenizer, processor, ...limits };
  const spec = {
    name: 'adopt',
    module: new URL('./adopt/adopt-task.ts', import.meta.url).href,
    config,
    shards: archives,
  };
  const workers = options.workers ?? availableParallelism();
  const shards = (await runShards(spec, {
    dir: work,
    workers,
    cluster: options.cluster,
    log,
  })) as AdoptedShard[];
  const skips = createSkipCounter({ maxRate: options.maxSkipRate ?? 0.001 });
  for (const { samples, losses } of shards) {
    skips.good(samples);
    for (const { uid, reason, isDrop } of losses) if (!isDrop) skips.skip(uid, reason);
  }
  skips.check();
  await writeLedger(join(output, LEDGER), lossRows(shards, hash));
  const table = await writeTable(output, archives);
  const manifest = describe(config, archives, shards, table, { hash, skipped: skips.numSkipped });
  await writeManifest(output, manifest);
  rmSync(work, { recursive: true });
  const { packs = 0, samples = 0 } = manifest.counts;
  log.info(`adopted ${packs} packs of ${samples} samples from ${input} (layout ${layout})`);
  return manifest;
}

/** The layout of the first record. @throws OneVisionError 'data' when it is no pack. */
function detectLayout(input: string, archives: readonly string[]): LayoutName {
  const [first] = archives;
  if (!existsSync(input) || first === undefined) {
    throw new OneVisionError('data', `expected archives (*.tar) of packs in ${input}, came none`, {
      hint: 'give the folder of a packed data set',
    });
  }
  const path = join(input, first);
  const [place] = recordPlaces(path);
  using pool = new FilePool();
  const members =
    place === undefined ? [] : sliceMembers(pool.read(path, place.offset, place.size), path);
  const json = members.find(({ part }) => part === 'json')?.bytes.toString() ?? '';
  const found = layoutOfJson(json);
  if (found !== undefined) return found;
  throw new OneVisionError(
    'data',
    `expected packed records in ${path}, came ${place?.key ?? 'no record'} with ` +
      `${members.map(({ part }) => part).join(', ')}`,
    { hint: 'unpacked samples go through: onevision pack files' },
  );
}

function layoutOfJson(text: string): LayoutName | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { prompts, texts, segments } = json as Record<string, unknown>;
  if (Array.isArray(prompts)) return Array.isArray(prompts[0]) ? 'energon-multi-turn' : 'energon';
  if (Array.isArray(texts)) return 'energon-unpacked';
  return Array.isArray(segments) ? 'onevision' : undefined;
}

function* lossRows(shards: readonly AdoptedShard[], configHash: string): Generator<LedgerRow> {
  for (const { uid, reason, isDrop } of shards.flatMap(({ losses }) => losses)) {
    yield { uid, stage: 'adopt', verdict: isDrop ? 'drop' : 'error', reason, configHash };
  }
}

function describe(
  config: AdoptConfig,
  archives: readonly string[],
  shards: readonly AdoptedShard[],
  table: ManifestFile,
  { hash, skipped }: { readonly hash: string; readonly skipped: number },
): Manifest {
  const total = (key: 'packs' | 'samples' | 'tokens' | 'patches'): number =>
    shards.reduce((sum, shard) => sum + shard[key], 0);
  const { input, output, layout, tokenizer, processor, maxTokens, maxPatches } = config;
  const packs = total('packs');
  if (packs === 0) {
    throw new OneVisionError('data', `expected packs that can be read in ${input}, came none`, {
      hint: `see ${join(output, LEDGER)} for the reasons`,
    });
  }
  return {
    format: 'onevision/1',
    kind: 'packs',
    stage: 'adopt',
    configHash: hash,
    counts: {
      packs,
      samples: total('samples'),
      tokens: total('tokens'),
      patches: total('patches'),
      skipped,
    },
    files: [
      ...archives.map((name, i) => fileOf(output, adoptedName(name), shards[i]?.packs ?? 0)),
      table,
    ],
    stats: {
      fill: total('tokens') / (packs * maxTokens),
      maxTokens,
      maxPatches,
      layout,
      archives: archives.map((name) => join(input, name)),
      tokenizer: tokenizerHash(tokenizer),
      processor: { ...processor },
    },
  };
}

/** What each pack costs, from the lines that the task wrote. */
async function writeTable(output: string, archives: readonly string[]): Promise<ManifestFile> {
  const packs = archives.flatMap((name) => readAdopted(join(output, adoptedName(name))));
  const tokens = packs.flatMap((pack) => pack.tokens.filter((count) => count > 0));
  const patches = packs.flatMap((pack) => pack.patches.filter((_, i) => (pack.tokens[i] ?? 0) > 0));
  const starts = new Uint32Array(packs.length + 1);
  for (const [i, pack] of packs.entries()) {
    starts[i + 1] = (starts[i] ?? 0) + pack.tokens.filter((count) => count > 0).length;
  }
  const members = Uint32Array.from(tokens, (_, i) => i);
  const lengths = { tokens: Uint32Array.from(tokens), patches: Uint32Array.from(patches) };
  return await writePackTable(output, { starts, members }, lengths);
}

function fileOf(dir: string, name: string, count: number): ManifestFile {
  const bytes = readFileSync(join(dir, name));
  return { name, bytes: bytes.length, sha256: sha256Hex(bytes), count };
}
