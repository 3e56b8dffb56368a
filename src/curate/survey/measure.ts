// From a sample to its row of the survey: facts, scores of all filters, fingerprints, concepts.
// Decides nothing.

import { createHash } from 'node:crypto';
import { sha256Hex } from '../../core/hash.ts';
import { decodeImage } from '../../image/decode.ts';
import type { RgbImage } from '../../image/pixels.ts';
import { repliesOf, type Sample } from '../../sample/sample.ts';
import { matchConcepts } from '../concepts/match.ts';
import type { Facts } from '../filters/filter.ts';
import type { Instruments } from './instruments.ts';
import { bestOf, statedLanguage } from './languages.ts';
import { type Look, lookAt } from './look.ts';
import { emptyRow, type SurveyRow, sideOf } from './row.ts';

/** The row of a sample; of one that does not decode, a row with the reason. */
export async function measure(sample: Sample, instruments: Instruments): Promise<SurveyRow> {
  try {
    return await measureWhole(sample, instruments);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...emptyRow(sample.uid), side: sideOf(sample), error: reason, readable: true };
  }
}

async function measureWhole(sample: Sample, instruments: Instruments): Promise<SurveyRow> {
  const { config, filters, list, sign } = instruments;
  const { look, hooks } = await seeImages(sample, instruments);
  const caption = repliesOf(sample).join('\n');
  const { embedding, agreement } = await embed(sample, caption, instruments);
  const title = textOf(sample.meta['label']) ?? caption;
  const stated = statedLanguage(sample);
  const languages = instruments.languages(caption);
  const facts: Facts = {
    caption,
    title,
    conversation: sample.messages.map((message) => message.content).join('\n'),
    look,
    languages,
    labels: labelsOf(sample),
    agreement,
    hooks,
  };
  const { rollUp } = config.concepts;
  return {
    uid: sample.uid,
    error: null,
    readable: true,
    source: sample.source,
    side: sideOf(sample),
    variantOf: textOf(sample.meta['variantOf']) ?? null,
    bytes: sample.images.reduce((sum, image) => sum + image.bytes.length, 0),
    width: look?.width ?? null,
    height: look?.height ?? null,
    language: stated ?? bestOf(languages),
    caption,
    titleKey: titleKey(sample.source, title),
    identity: identityOf(sample),
    hash: takesPart(sample, instruments) ? (look?.hash ?? null) : null,
    signature: sign === null ? null : sign(caption),
    embedding,
    concepts: matchConcepts(conceptText(sample, caption), list, { rollUp, language: stated }),
    scores: filters.map((filter) => filter.score(facts)),
  };
}

/** Decodes every image, so that a broken one is found; measures the first. */
async function seeImages(
  sample: Sample,
  instruments: Instruments,
): Promise<{ look: Look | null; hooks: Record<string, number> }> {
  let look: Look | null = null;
  const scores: Record<string, number> = {};
  const { hooks, tiling, evaluation } = instruments;
  const { maxPixels } = instruments.config.filters;
  for (const [i, { bytes }] of sample.images.entries()) {
    const image: RgbImage = await decodeImage(bytes, { maxPixels });
    if (i > 0) continue;
    const hash = evaluation !== null || takesPart(sample, instruments);
    look = await lookAt(image, { hash, tiling });
    for (const [name, score] of hooks) scores[name] = await score(image);
  }
  return { look, hooks: scores };
}

/** Where the embedder places the first image, and how well the caption agrees with it. */
async function embed(
  sample: Sample,
  caption: string,
  { embedder }: Instruments,
): Promise<{ embedding: Float32Array | null; agreement: number | null }> {
  const [image] = sample.images;
  if (embedder === null || image === undefined) return { embedding: null, agreement: null };
  const embedding = (await embedder.embedImages([image.bytes])).slice(0, embedder.dim);
  const words = await embedder.embedTexts([caption]);
  const agreement = embedding.reduce((sum, value, k) => sum + value * (words[k] ?? 0), 0);
  return { embedding, agreement };
}

/** Whether look-alikes of it are looked for. */
function takesPart(sample: Sample, { config }: Instruments): boolean {
  return sample.images.length === 1 && !config.dedup.keepLookAlikes.includes(sample.source);
}

/** The words in which concepts are looked for: label, tags and description, else the caption. */
function conceptText(sample: Sample, caption: string): string {
  const { label, tags, description } = sample.meta;
  if (typeof label !== 'string') return caption;
  const list = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  return [label, ...list, textOf(description) ?? ''].join(', ');
}

function labelsOf({ meta }: Sample): Record<string, string> {
  const texts = Object.entries(meta).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

/** Equal for samples that are the same picture, or the same conversation over several or none. */
function identityOf(sample: Sample): string {
  const [first] = sample.images;
  if (first !== undefined && sample.images.length === 1) return sha256Hex(first.bytes).slice(0, 32);
  const images = sample.images.map((image) => sha256Hex(image.bytes));
  return sha256Hex(JSON.stringify([images, sample.messages])).slice(0, 32);
}

/** 64 bits that stand for a title within a source. */
function titleKey(source: string, title: string): bigint {
  const key = JSON.stringify([source, title.trim().toLowerCase()]);
  return createHash('sha256').update(key).digest().readBigInt64BE();
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
