// Matches a whole source against a concept list and writes rows (uid, language, concepts) as parquet,
// one file a shard: what balancing of many rows reads. The shards are shared by processes.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../../cluster/run-shards.ts';
import { ensureFolder, removeOthers, sweepTemporary, writeFileAtomic } from '../../core/files.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { LEDGER, type LedgerRow, readShardLedgers, writeLedger } from '../../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  MANIFEST,
  type Manifest,
  manifestFileSchema,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import { openSource } from '../../sample/sources/open.ts';
import type { SourceSpec } from '../../sample/sources/source.ts';
import { type ConceptConfig, conceptSchema, type Loose } from '../config.ts';
import { openEmbedderModule } from '../embed/open-embedder.ts';
import { removeWork, runWithProgress, workFolder } from '../run-with-progress.ts';
import type { ConceptList } from './concept-list.ts';
import { embedNames } from './embedding-matcher.ts';
import { loadConceptList } from './load.ts';
import { type MatchSpec, type PictureSpec, STAGE } from './match-task.ts';

/** Matching by embedding: the names nearest to a picture. */
export interface PictureMatching {
  /** Module that exports `embedder` (`embed/open-embedder.ts`). */
  readonly module: string;
  /** Concepts of a picture. */
  readonly k: number;
  /** Lowest cosine that counts; default: any. */
  readonly minCosine?: number;
  /** What a name is embedded as; `{}` is the name. Default: the name alone. */
  readonly template?: string;
}

export interface MatchSourceOptions {
  readonly input: string | SourceSpec;
  /** Gets `rows-*.parquet`, ledger and manifest. */
  readonly output: string;
  readonly concepts?: Loose<ConceptConfig>;
  /** Left out: captions are matched. */
  readonly pictures?: PictureMatching | undefined;
  /** Processes; the result does not depend on it. Default 1: this one. */
  readonly workers?: number;
  /** Where the shards are treated; default: this machine. */
  readonly cluster?: Cluster | undefined;
  readonly log?: Logger;
}

const MODULE = new URL('./match-task.ts', import.meta.url).href;

/**
 * Match every sample; records that cannot be read or decoded have an error in the ledger. Killed: goes
 * on with the shards that have no rows; the result is the same to the byte.
 *
 * @throws OneVisionError 'data' for a source or a list that is not there.
 */
export async function matchSource(options: MatchSourceOptions): Promise<Manifest> {
  const { output, pictures, workers = 1, cluster, log = processLog } = options;
  const source = await openSource(options.input);
  const concepts = conceptSchema.parse(options.concepts ?? {});
  const list = loadConceptList(concepts);
  const names = pictures === undefined ? undefined : await openNames(list, pictures);
  const matcher = names?.matcher ?? 'text';
  const configHash = hashConfig('match/3', source.hash, list.version, matcher);
  if (isComplete(output, configHash)) {
    await names?.close();
    removeWork(output); // a kill may have come between the manifest and this
    sweepTemporary(output);
    return readManifest(output);
  }
  ensureFolder(output);
  sweepTemporary(output);
  rmSync(join(output, MANIFEST), { force: true });
  removeWork(output, configHash);
  const dir = workFolder(output, configHash);
  ensureFolder(dir);
  const rows = join(dir, 'rows');
  const spec: MatchSpec = {
    source: source.spec,
    output,
    rows,
    configHash,
    concepts,
    pictures: (await names?.write(dir)) ?? null,
  };
  const shards = source.shards.map(({ name }) => name);
  const task = { name: STAGE, module: MODULE, config: spec, shards };
  const results = await runWithProgress(task, { dir, workers, cluster, log });
  const files = results.map((result) => manifestFileSchema.parse(result));
  removeOthers(output, /^rows-.*\.parquet$/, new Set(files.map(({ name }) => name)));
  const counts = { rows: 0, lost: 0 };
  await writeLedger(join(output, LEDGER), counted(readShardLedgers(rows, shards), counts));
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: 'rows',
    stage: STAGE,
    configHash,
    counts: { ...counts, concepts: list.size },
    files,
    stats: { matcher, list: list.version },
  };
  await writeManifest(output, manifest);
  removeWork(output);
  log.info(`matched ${counts.rows} samples against ${list.size} concepts in ${output}`, {
    lost: counts.lost,
  });
  return manifest;
}

interface Names {
  /** Model, K and the like: part of the hash of what is found. */
  readonly matcher: string;
  /** Embeds the names into a file, where it is not there; closes the model. */
  write(dir: string): Promise<PictureSpec>;
  close(): Promise<void>;
}

async function openNames(list: ConceptList, pictures: PictureMatching): Promise<Names> {
  const { module, k, minCosine = -1, template = '{}' } = pictures;
  const embedder = await (await openEmbedderModule(module)).open();
  const close = async (): Promise<void> => {
    await embedder.close();
  };
  return {
    matcher: `${embedder.name} top ${k} above ${minCosine} of ${template}`,
    write: async (dir) => {
      const vectors = join(dir, 'names.f32');
      if (!existsSync(vectors)) {
        const { buffer } = await embedNames(list.names, embedder, template);
        await writeFileAtomic(vectors, new Uint8Array(buffer));
      }
      await close();
      return { module, vectors, k, minCosine };
    },
    close,
  };
}

async function* counted(
  ledger: AsyncIterable<LedgerRow>,
  counts: { rows: number; lost: number },
): AsyncGenerator<LedgerRow, void, undefined> {
  for await (const row of ledger) {
    counts[row.verdict === 'keep' ? 'rows' : 'lost'] += 1;
    yield row;
  }
}
