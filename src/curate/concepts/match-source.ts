// Matches a whole source against a concept list and writes rows (uid, language, concepts) as parquet,
// one file a shard: what balancing of many rows reads.
import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, sha256File, sweepTemporary } from '../../core/files.ts';
import { openJsonl } from '../../core/jsonl.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { createProgress } from '../../core/progress.ts';
import { openColumns, sqlText } from '../../sample/columns.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  type ManifestFile,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import { repliesOf, type Sample } from '../../sample/sample.ts';
import { openSource } from '../../sample/sources/open.ts';
import type { SourceShard } from '../../sample/sources/source.ts';
import { bestOf, type Languages, openLanguages, statedLanguage } from '../survey/languages.ts';
import type { ConceptList } from './concept-list.ts';

/** Finds the concepts of samples: by their text, or by an embedder of their pictures. */
export interface ConceptMatcher {
  /** Model, K and the like: part of the hash of what it finds. */
  readonly name: string;
  /** Concept ids of each sample. */
  match(samples: readonly Sample[]): Promise<readonly ArrayLike<number>[]>;
}

/** Looks for names in the caption; in its language alone where the sample says which that is. */
export function captionMatcher(list: ConceptList): ConceptMatcher {
  return {
    name: 'text',
    match: (samples) =>
      Promise.resolve(
        samples.map((sample) => {
          const matcher = list.matcherFor(statedLanguage(sample) ?? '');
          return matcher.match(repliesOf(sample).join('\n')).slice();
        }),
      ),
  };
}

export interface MatchSourceOptions {
  readonly input: string;
  /** Gets `rows-*.parquet` and a manifest. */
  readonly output: string;
  readonly list: ConceptList;
  readonly matcher: ConceptMatcher;
  readonly batchSize?: number;
  readonly log?: Logger;
}

/**
 * Match every sample; records that cannot be read are counted as `lost`. Killed: goes on at the
 * first shard without rows.
 */
export async function matchSource(options: MatchSourceOptions): Promise<Manifest> {
  const { input, output, list, matcher, log = processLog } = options;
  const source = await openSource(input);
  const languages = await openLanguages();
  const configHash = hashConfig('match/2', source.hash, list.version, matcher.name);
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  using progress = createProgress({ label: 'match', unit: 'samples' });
  const files: ManifestFile[] = [];
  let lost = 0;
  for (const [index, shard] of source.shards.entries()) {
    const stem = join(output, `rows-${String(index).padStart(6, '0')}-${configHash}`);
    const path = `${stem}.parquet`;
    if (!existsSync(path)) {
      lost += await matchShard(source.read(shard), stem, { ...options, languages }, (count) =>
        progress.increment(count),
      );
    }
    files.push(await describe(output, path, shard));
  }
  const rows = files.reduce((sum, { count }) => sum + count, 0);
  const manifest: Manifest = {
    format: 'onevision/1',
    kind: 'rows',
    stage: 'match',
    configHash,
    counts: { rows, lost, concepts: list.size },
    files,
    stats: { matcher: matcher.name, list: list.version },
  };
  await writeManifest(output, manifest);
  log.info(`matched ${rows} samples against ${list.size} concepts in ${output}`, { lost });
  return manifest;
}

interface LanguageDetector {
  readonly languages: (text: string) => Languages;
}

/** @returns how many records were lost. */
async function matchShard(
  entries: ReturnType<Awaited<ReturnType<typeof openSource>>['read']>,
  stem: string,
  { matcher, languages, batchSize = 256 }: MatchSourceOptions & LanguageDetector,
  onRows: (count: number) => void,
): Promise<number> {
  const lines = `${stem}.jsonl.tmp`;
  await rm(lines, { force: true });
  let lost = 0;
  let batch: Sample[] = [];
  const writer = openJsonl(lines);
  const flush = async (): Promise<void> => {
    const found = await matcher.match(batch);
    const rows = batch.map((sample, i) => {
      const language = statedLanguage(sample) ?? bestOf(languages(repliesOf(sample).join('\n')));
      return { uid: sample.uid, language, concepts: Array.from(found[i] ?? []) };
    });
    writer.append(...rows);
    onRows(rows.length);
    batch = [];
  };
  try {
    for await (const entry of entries) {
      if (entry.sample === undefined) lost += entry.lost.numSamples;
      else batch.push(entry.sample);
      if (batch.length >= batchSize) await flush();
    }
    await flush();
  } finally {
    writer.close();
  }
  await toParquet(lines, `${stem}.parquet`);
  await rm(lines, { force: true });
  return lost;
}

async function toParquet(lines: string, path: string): Promise<void> {
  using columns = await openColumns();
  const types = "{uid: 'VARCHAR', language: 'VARCHAR', concepts: 'INTEGER[]'}";
  await columns.run(
    `COPY (SELECT * FROM read_json(${sqlText(lines)}, format = 'newline_delimited',
       columns = ${types})) TO ${sqlText(`${path}.tmp`)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  await rename(`${path}.tmp`, path);
}

async function describe(output: string, path: string, shard: SourceShard): Promise<ManifestFile> {
  using columns = await openColumns();
  let count = shard.count ?? 0;
  const sql = `SELECT count(*)::INTEGER AS n FROM read_parquet(${sqlText(path)})`;
  for await (const [row] of columns.batches(sql)) count = Number(row?.['n']);
  const name = path.slice(output.length + 1);
  return { name, bytes: (await stat(path)).size, sha256: await sha256File(path), count };
}
