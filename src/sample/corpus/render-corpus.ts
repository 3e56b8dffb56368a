// Renders listed pictures into shards of raw samples: same size, same order, same bytes each time.
// Goes on after a kill at the first unfinished shard.
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, sweepTemporary } from '../../core/files.ts';
import { type Journal, openJournal } from '../../core/journal.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { mapConcurrent } from '../../core/pool.ts';
import { createProgress, type Progress } from '../../core/progress.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../ledger.ts';
import {
  isComplete,
  MANIFEST,
  type Manifest,
  type ManifestFile,
  readManifest,
  writeManifest,
} from '../manifest.ts';
import type { Sample } from '../sample.ts';
import { createShardWriter, shardName } from '../shards/shard-writer.ts';
import { createSkipCounter } from '../skips.ts';
import { splitOf } from '../split.ts';
import { encodeSprite, renderSprite } from './emoji-render.ts';
import { captionOf, type Picture } from './picture.ts';

export interface RenderCorpusOptions {
  readonly output: string;
  readonly pictures: readonly Picture[];
  /** Side of the square pictures, in pixels. */
  readonly size: number;
  readonly samplesPerShard: number;
  /** Changes when the pictures or settings do; see `hashConfig`. */
  readonly configHash: string;
  /** Largest share of pictures that may fail to render. */
  readonly maxSkipRate: number;
  readonly log?: Logger;
}

interface Chunk {
  readonly prefix: string;
  readonly index: number;
  readonly pictures: readonly Picture[];
}

interface Outcome {
  readonly file: ManifestFile | null;
  readonly failures: readonly { readonly uid: string; readonly reason: string }[];
}

const STAGE = 'corpus';
const NUM_RENDERING = 8;

/**
 * Render `pictures` to `output`: shards named by source, `ledger.jsonl` with one row for each
 * picture, `manifest.json`.
 *
 * @throws OneVisionError 'data' when more than `maxSkipRate` of the pictures do not decode.
 */
export async function renderCorpus(options: RenderCorpusOptions): Promise<Manifest> {
  const { output, configHash, pictures, log = processLog } = options;
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  rmSync(join(output, MANIFEST), { force: true });
  const skips = createSkipCounter({ maxRate: options.maxSkipRate, expected: pictures.length });
  const files: ManifestFile[] = [];
  const failures = new Map<string, string>();
  using journal = openJournal(join(output, `journal-${configHash}.jsonl`));
  using progress = createProgress({ label: 'render', total: pictures.length, unit: 'pictures' });
  for (const chunk of planChunks(pictures, options.samplesPerShard)) {
    const outcome =
      recall(journal, output, chunk) ?? (await renderChunk(chunk, options, progress, journal));
    for (const { uid, reason } of outcome.failures) {
      failures.set(uid, reason);
      skips.skip(uid, reason);
    }
    skips.good(chunk.pictures.length - outcome.failures.length);
    progress.update(skips.numGood + skips.numSkipped);
    if (outcome.file !== null) files.push(outcome.file);
  }
  skips.check();
  if (failures.size > 0) log.warn(`${failures.size} pictures do not render; see ${LEDGER}`);
  await writeLedger(join(output, LEDGER), ledgerRows(pictures, failures, configHash));
  const manifest = summarise(pictures, failures, files, configHash);
  await writeManifest(output, manifest);
  return manifest;
}

/** Neighbouring pictures of one source, cut into shards. */
function planChunks(pictures: readonly Picture[], perShard: number): Chunk[] {
  const bySource = Map.groupBy(pictures, (picture) => picture.source);
  return [...bySource].flatMap(([prefix, list]) =>
    Array.from({ length: Math.ceil(list.length / perShard) }, (_, index) => ({
      prefix,
      index,
      pictures: list.slice(index * perShard, (index + 1) * perShard),
    })),
  );
}

/** What the journal says of a shard, if the shard is still there. */
function recall(journal: Journal, output: string, chunk: Chunk): Outcome | undefined {
  const outcome = journal.get(shardName(chunk.prefix, chunk.index)) as Outcome | undefined;
  if (outcome === undefined || outcome.file === null) return outcome;
  const path = join(output, outcome.file.name);
  return existsSync(path) && statSync(path).size === outcome.file.bytes ? outcome : undefined;
}

async function renderChunk(
  chunk: Chunk,
  { output, size }: RenderCorpusOptions,
  progress: Progress,
  journal: Journal,
): Promise<Outcome> {
  const { prefix, index, pictures } = chunk;
  const writer = createShardWriter(output, { prefix, firstShard: index, maxBytes: Infinity });
  const failures: { uid: string; reason: string }[] = [];
  try {
    const render = (picture: Picture): Promise<Sample | Error> => tryRender(picture, size);
    let at = 0;
    for await (const result of mapConcurrent(pictures, NUM_RENDERING, render)) {
      const uid = pictures[at++]?.uid ?? '';
      if (result instanceof Error) failures.push({ uid, reason: result.message });
      else await writer.write(result);
      progress.increment();
    }
    const [file] = await writer.close();
    const outcome = { file: file ?? null, failures };
    journal.done(shardName(prefix, index), outcome);
    return outcome;
  } finally {
    await writer.abort();
  }
}

async function tryRender(picture: Picture, size: number): Promise<Sample | Error> {
  try {
    const sprite = await renderSprite(await picture.load(), size);
    return toSample(picture, encodeSprite(sprite));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function toSample(picture: Picture, png: Uint8Array): Sample {
  const { uid, source, group, label, tags, meta } = picture;
  return {
    uid,
    source,
    group,
    split: splitOf(group),
    messages: [
      { role: 'user', content: '<image>' },
      { role: 'assistant', content: captionOf(label, tags) },
    ],
    images: [{ name: 'img0.png', bytes: png }],
    meta: { label, tags, ...meta },
  };
}

function* ledgerRows(
  pictures: readonly Picture[],
  failures: ReadonlyMap<string, string>,
  configHash: string,
): Generator<LedgerRow> {
  for (const { uid } of pictures) {
    const failure = failures.get(uid);
    const verdict = failure === undefined ? 'keep' : 'error';
    yield { uid, stage: STAGE, verdict, reason: failure ?? 'rendered', configHash };
  }
}

function summarise(
  pictures: readonly Picture[],
  failures: ReadonlyMap<string, string>,
  files: readonly ManifestFile[],
  configHash: string,
): Manifest {
  const counts: Record<string, number> = { samples: 0, train: 0, val: 0, test: 0 };
  const sources: Record<string, number> = {};
  for (const { uid, group, source } of pictures) {
    if (failures.has(uid)) continue;
    const split = splitOf(group);
    counts['samples'] = (counts['samples'] ?? 0) + 1;
    counts[split] = (counts[split] ?? 0) + 1;
    sources[source] = (sources[source] ?? 0) + 1;
  }
  counts['failed'] = failures.size;
  return {
    format: 'onevision/1',
    kind: 'samples',
    stage: STAGE,
    configHash,
    counts,
    files,
    stats: { sources },
  };
}
