// Raw samples for tests of src/sample and src/curate: pictures drawn by code, captions given.
import sharp from 'sharp';
import { captionOf, type Picture } from '../../src/sample/corpus/picture.ts';
import type { JsonValue, Sample } from '../../src/sample/sample.ts';
import { splitOf } from '../../src/sample/split.ts';
import { createShardWriter } from '../../src/sample/webdataset.ts';

const SIDE = 32;

/** An SVG of seeded shapes: another seed gives quite another picture. */
export function drawSvg(seed: number): string {
  let state = seed * 2654435761 + 12345;
  const next = (limit: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return state % limit;
  };
  const shapes = Array.from({ length: 6 }, () => {
    const colour = `rgb(${next(256)},${next(256)},${next(256)})`;
    return `<circle cx="${next(64)}" cy="${next(64)}" r="${4 + next(14)}" fill="${colour}"/>`;
  });
  const size = 'width="64" height="64" viewBox="0 0 64 64"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${shapes.join('')}</svg>`;
}

export async function drawPng(svg: string): Promise<Uint8Array> {
  return await sharp(Buffer.from(svg))
    .resize(SIDE, SIDE)
    .flatten({ background: '#fff' })
    .png()
    .toBuffer();
}

export interface RawSampleOptions {
  readonly uid: string;
  readonly label: string;
  readonly tags?: readonly string[];
  readonly source?: string;
  readonly group?: string;
  readonly image?: Uint8Array;
  readonly meta?: Readonly<Record<string, JsonValue>>;
}

/** A raw sample as the corpus builder makes them. */
export async function rawSample(options: RawSampleOptions): Promise<Sample> {
  const { uid, label, tags = [], source = 'drawn', group = uid } = options;
  const seed = Number.parseInt(Buffer.from(uid).toString('hex').slice(-6), 16);
  const bytes = options.image ?? (await drawPng(drawSvg(seed)));
  return {
    uid,
    source,
    group,
    split: splitOf(group),
    messages: [
      { role: 'user', content: '<image>' },
      { role: 'assistant', content: captionOf(label, tags) },
    ],
    images: [{ name: 'img0.png', bytes }],
    meta: { label, tags, ...options.meta },
  };
}

/** Shards without a manifest. */
export async function writeRaw(
  dir: string,
  samples: readonly Sample[],
  maxSamples: number = Infinity,
): Promise<void> {
  const writer = createShardWriter(dir, { prefix: 'raw', maxSamples });
  for (const sample of samples) await writer.write(sample);
  await writer.close();
}

/** A picture of a source, for the renderer. */
export function drawnPicture(index: number, source = 'drawn'): Picture {
  return {
    uid: `${source}:${String(index).padStart(4, '0')}`,
    source,
    group: `drawn:${index}`,
    label: `drawing ${index}`,
    tags: ['circle', 'drawing'],
    meta: { style: source },
    load: async () => Buffer.from(drawSvg(index)),
  };
}
