// Matching of one shard as a task: uid, language and concept ids of its samples as parquet, and a
// ledger row a record. Any number of processes share the shards (src/cluster).
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ShardTask } from '../../cluster/task.ts';
import { ensureFolder, fillFileAtomic, sha256File } from '../../core/files.ts';
import { type DuckDBValue, listValue, openColumns, sqlText } from '../../sample/columns.ts';
import { type LedgerRow, lostRows, shardLedger, writeLedger } from '../../sample/ledger.ts';
import type { ManifestFile } from '../../sample/manifest.ts';
import { repliesOf } from '../../sample/sample.ts';
import { openSource } from '../../sample/sources/open.ts';
import {
  type SourceEntry,
  type SourceSpec,
  sourceSpecSchema,
} from '../../sample/sources/source.ts';
import { type ConceptConfig, conceptSchema } from '../config.ts';
import { openEmbedderModule } from '../embed/open-embedder.ts';
import { PLAIN_PRODUCT } from '../embed/plain-product.ts';
import { bestOf, type Languages, openLanguages, statedLanguage } from '../survey/languages.ts';
import { embeddingMatcher } from './embedding-matcher.ts';
import { loadConceptList } from './load.ts';
import { type ConceptMatcher, captionMatcher } from './matcher.ts';

/** How pictures are matched, as JSON. */
export interface PictureSpec {
  /** Module that exports an embedder. */
  readonly module: string;
  /** File of the vectors of the concepts' names, float32. */
  readonly vectors: string;
  readonly k: number;
  readonly minCosine: number;
}

/** Config of the task, as JSON. */
export interface MatchSpec {
  readonly source: SourceSpec;
  readonly output: string;
  /** Folder of the ledger rows. */
  readonly rows: string;
  readonly configHash: string;
  readonly concepts: ConceptConfig;
  /** Null: captions are matched. */
  readonly pictures: PictureSpec | null;
}

const specSchema: z.ZodType<MatchSpec> = z.strictObject({
  source: sourceSpecSchema,
  output: z.string(),
  rows: z.string(),
  configHash: z.string(),
  concepts: conceptSchema,
  pictures: z
    .strictObject({
      module: z.string(),
      vectors: z.string(),
      k: z.int().positive(),
      minCosine: z.number(),
    })
    .nullable(),
});

export const STAGE = 'match';
/** Samples that are matched together. */
const BATCH = 256;

export const task: ShardTask = {
  open: async (given) => {
    const spec = specSchema.parse(given);
    const source = await openSource(spec.source);
    const languages = await openLanguages();
    const { matcher, close } = await openMatcher(spec);
    ensureFolder(spec.rows);
    return {
      run: async (name): Promise<ManifestFile> => {
        const number = source.shards.findIndex((shard) => shard.name === name);
        const shard = source.shards[number];
        if (shard === undefined) throw new Error(`no shard ${name} in ${spec.source.path}`);
        const file = `rows-${String(number).padStart(6, '0')}.parquet`;
        const ledger: LedgerRow[] = [];
        const cells = matchEntries(source.read(shard), { ...spec, matcher, languages, ledger });
        const path = join(spec.output, file);
        await writeParquet(path, cells);
        await writeLedger(shardLedger(spec.rows, name), ledger);
        const count = ledger.filter(({ verdict }) => verdict === 'keep').length;
        const [{ size: bytes }, sha256] = [await stat(path), await sha256File(path)];
        return { name: file, bytes, sha256, count };
      },
      close,
    };
  },
};

interface OpenMatcher {
  readonly matcher: ConceptMatcher;
  readonly close: () => Promise<void>;
}

async function openMatcher({ concepts, pictures }: MatchSpec): Promise<OpenMatcher> {
  if (pictures === null) {
    const matcher = captionMatcher(loadConceptList(concepts));
    return { matcher, close: () => Promise.resolve() };
  }
  const { module, k, minCosine } = pictures;
  const { open, product } = await openEmbedderModule(module);
  const embedder = await open();
  const { buffer } = Uint8Array.from(await readFile(pictures.vectors));
  const matcher = embeddingMatcher({
    vectors: new Float32Array(buffer),
    embedder,
    product: product === undefined ? PLAIN_PRODUCT : await product(),
    k,
    minCosine,
  });
  return {
    matcher,
    close: async () => {
      await embedder.close();
    },
  };
}

interface Matching {
  readonly matcher: ConceptMatcher;
  readonly languages: (text: string) => Languages;
  readonly configHash: string;
  /** Gets the rows of the ledger. */
  readonly ledger: LedgerRow[];
}

/** The cells of each sample that can be matched. */
async function* matchEntries(
  entries: AsyncIterable<SourceEntry>,
  { matcher, languages, configHash, ledger }: Matching,
): AsyncGenerator<readonly DuckDBValue[], void, undefined> {
  const own = { stage: STAGE, configHash };
  let batch: SourceEntry[] = [];
  async function* flush(): AsyncGenerator<readonly DuckDBValue[], void, undefined> {
    const samples = batch.flatMap(({ sample }) => (sample === undefined ? [] : [sample]));
    const matched = await matcher.match(samples);
    let next = 0;
    for (const { sample, lost } of batch) {
      if (sample === undefined) {
        ledger.push(...lostRows(lost, own));
        continue;
      }
      const { uid } = sample;
      const concepts = matched[next++] ?? [];
      if (typeof concepts === 'string') {
        ledger.push({ uid, verdict: 'error', reason: concepts, ...own });
        continue;
      }
      const reason = concepts.length === 0 ? 'no-concept' : 'matched';
      ledger.push({ uid, verdict: 'keep', reason, ...own });
      const text = repliesOf(sample).join('\n');
      const language = statedLanguage(sample) ?? bestOf(languages(text));
      yield [uid, language, listValue(Array.from(concepts))];
    }
    batch = [];
  }
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length === BATCH) yield* flush();
  }
  yield* flush();
}

async function writeParquet(
  path: string,
  cells: AsyncIterable<readonly DuckDBValue[]>,
): Promise<void> {
  using columns = await openColumns();
  await columns.run('CREATE TABLE rows (uid VARCHAR, language VARCHAR, concepts INTEGER[])');
  await columns.insert('rows', cells);
  await fillFileAtomic(path, (temporary) =>
    columns.run(`COPY rows TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd)`),
  );
}
