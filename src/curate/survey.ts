// First pass: what there is to know about each sample, one row each, written beside the output.
// Decides nothing. A finished shard is not surveyed again after a kill.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createFileAtomic, ensureFolder } from '../core/files.ts';
import { sha256Hex } from '../core/hash.ts';
import { readJsonl } from '../core/jsonl.ts';
import { mapConcurrent } from '../core/pool.ts';
import { createProgress } from '../core/progress.ts';
import { decodeImage } from '../image/decode.ts';
import { colourRange, perceptualHash, perceptualHashToHex } from '../image/perceptual-hash.ts';
import type { Sample, Split } from '../sample/sample.ts';
import type { LostSamples, Source, SourceShard } from '../sample/sources/source.ts';
import type { ConceptList } from './concepts/concept-list.ts';
import { matchConcepts } from './concepts/match.ts';

export interface ImageFacts {
  /** Of the first image. */
  readonly width: number;
  readonly height: number;
  readonly spread: number;
  /** `perceptualHashToHex`; absent when it is not wanted or there are several images. */
  readonly hash?: string;
}

/** A row of the survey. A row with `error` has only `uid` beside it. */
export interface SurveyRow {
  readonly uid: string;
  /** Why it cannot be used. `readable` = it came out of its shard all the same. */
  readonly error?: string;
  readonly readable: boolean;
  readonly source: string;
  readonly split: Split;
  readonly heldOut: boolean;
  /** uid of the sample it is a variant of. */
  readonly variantOf: string | null;
  /** Equal for samples that are the same picture, or the same conversation over several. */
  readonly identity: string;
  readonly image: ImageFacts | null;
  readonly caption: string;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly concepts: readonly string[];
}

export interface SurveyOptions {
  readonly input: Source;
  /** Where the rows go, one file a shard. */
  readonly folder: string;
  readonly list: ConceptList;
  readonly rollUp: number;
  /** Sources whose pictures need no perceptual hash. */
  readonly unhashed: ReadonlySet<string>;
}

const NUM_DECODING = 8;

/** Survey every shard of `input` that has no rows in `folder` yet. */
export async function survey(options: SurveyOptions): Promise<void> {
  const { shards } = options.input;
  const total = shards.every((shard) => shard.count !== undefined)
    ? shards.reduce((sum, shard) => sum + (shard.count ?? 0), 0)
    : undefined;
  ensureFolder(options.folder);
  using progress = createProgress({ label: 'survey', total, unit: 'samples' });
  for (const shard of shards) {
    const path = surveyPath(options.folder, shard.name);
    if (existsSync(path)) {
      progress.increment(shard.count ?? 0);
      continue;
    }
    await using file = await createFileAtomic(path);
    let lines: string[] = [];
    for await (const row of surveyShard(shard, options)) {
      lines.push(`${JSON.stringify(row)}\n`);
      progress.increment();
      if (lines.length < 1000) continue;
      await file.write(lines.join(''));
      lines = [];
    }
    await file.write(lines.join(''));
    await file.commit();
  }
}

/** All rows in the order of the shards and of the samples in them. */
export async function* readSurvey(
  input: Source,
  folder: string,
): AsyncGenerator<SurveyRow, void, undefined> {
  for (const { name } of input.shards) {
    // Written by this very stage under a hash of its settings: no need to check each row.
    for await (const row of readJsonl(surveyPath(folder, name))) yield row as SurveyRow;
  }
}

function surveyPath(folder: string, shard: string): string {
  return join(folder, `${shard.replaceAll('/', '__')}.jsonl`);
}

async function* surveyShard(
  shard: SourceShard,
  options: SurveyOptions,
): AsyncGenerator<SurveyRow, void, undefined> {
  const rows = mapConcurrent(options.input.read(shard), NUM_DECODING, ({ sample, lost }) =>
    sample === undefined ? lostRows(lost) : surveySample(sample, options).then((row) => [row]),
  );
  for await (const list of rows) yield* list;
}

function lostRows({ uid, reason, numSamples }: LostSamples): SurveyRow[] {
  if (numSamples === 1) return [errorRow(uid, reason, false)];
  return Array.from({ length: numSamples }, (_, i) => errorRow(`${uid}#${i}`, reason, false));
}

async function surveySample(
  sample: Sample,
  { list, rollUp, unhashed }: SurveyOptions,
): Promise<SurveyRow> {
  try {
    const image = await surveyImages(sample, !unhashed.has(sample.source));
    const caption = captionOf(sample);
    const labels = Object.entries(sample.meta).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    return {
      uid: sample.uid,
      readable: true,
      source: sample.source,
      split: sample.split,
      heldOut: sample.meta['heldOutStyle'] === true,
      variantOf: textOf(sample.meta['variantOf']) ?? null,
      identity: identityOf(sample),
      image,
      caption,
      title: textOf(sample.meta['label']) ?? caption,
      labels: Object.fromEntries(labels),
      concepts: matchConcepts(conceptText(sample, caption), list, { rollUp }),
    };
  } catch (error) {
    return errorRow(sample.uid, error instanceof Error ? error.message : String(error), true);
  }
}

async function surveyImages(sample: Sample, withHash: boolean): Promise<ImageFacts | null> {
  let facts: ImageFacts | null = null;
  for (const { bytes } of sample.images) {
    const image = await decodeImage(bytes);
    if (facts !== null) continue;
    const { width, height } = image;
    facts = { width, height, spread: colourRange(image) };
    if (!withHash || sample.images.length > 1) continue;
    facts = { ...facts, hash: perceptualHashToHex(await perceptualHash(image)) };
  }
  return facts;
}

function identityOf(sample: Sample): string {
  const [first] = sample.images;
  if (first !== undefined && sample.images.length === 1) return sha256Hex(first.bytes);
  const images = sample.images.map((image) => sha256Hex(image.bytes));
  return sha256Hex(JSON.stringify([images, sample.messages]));
}

function captionOf(sample: Sample): string {
  const turns = sample.messages.filter((message) => message.role === 'assistant');
  return turns.map((message) => message.content).join('\n');
}

/** The words in which concepts are looked for: label, tags and description, else the caption. */
function conceptText(sample: Sample, caption: string): string {
  const { label, tags, description } = sample.meta;
  if (typeof label !== 'string') return caption;
  const list = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  return [label, ...list, textOf(description) ?? ''].join(', ');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function errorRow(uid: string, error: string, readable: boolean): SurveyRow {
  return {
    uid,
    error,
    readable,
    source: '',
    split: 'train',
    heldOut: false,
    variantOf: null,
    identity: '',
    image: null,
    caption: '',
    title: '',
    labels: {},
    concepts: [],
  };
}
