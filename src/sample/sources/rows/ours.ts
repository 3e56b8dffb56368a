// Rows that our own sinks wrote: uid, group and side of the split are taken as they are.

import type { Sample, SampleImage } from '../../sample.ts';
import { parseSampleJson } from '../../sample-json.ts';
import type { Fields } from './fields.ts';

const NAMES = ['uid', 'source', 'group', 'split', 'messages', 'images', 'meta'] as const;

/** Whether a row has exactly the fields of a sample. */
export function isOurs(fields: Fields): boolean {
  return Object.keys(fields).length === NAMES.length && NAMES.every((name) => name in fields);
}

/** @throws Error whose message is the reason why the row is no sample. */
export async function sampleOfRow(
  fields: Fields,
  bytesOf: (ref: unknown) => Promise<Uint8Array>,
): Promise<Sample> {
  const refs: readonly unknown[] = Array.isArray(fields['images']) ? fields['images'] : [];
  const names = refs.map(nameOf);
  const given = fields['meta'];
  const meta: unknown = typeof given === 'string' ? JSON.parse(given) : given;
  const json = Buffer.from(JSON.stringify({ ...fields, images: names, meta }));
  const record = parseSampleJson(json);
  const images: SampleImage[] = [];
  for (const [i, ref] of refs.entries()) {
    images.push({ name: names[i] ?? '', bytes: await bytesOf(ref) });
  }
  return { ...record, images };
}

function nameOf(ref: unknown): string {
  const { name, path } = Object(ref) as { name?: unknown; path?: unknown };
  const given = name ?? path;
  if (typeof given === 'string' && /^[\w.-]+$/.test(given)) return given;
  throw new Error('an image has no name');
}
