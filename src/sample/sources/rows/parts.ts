// A record kept as files of one stem (`a.jpg`, `a.txt`, `a.json`), in an archive or in a folder.
import { imageKind } from './image-file.ts';
import type { RawRecord } from './record.ts';

const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  'jpg jpeg png webp gif tif tiff avif img bmp'.split(' '),
);
const TEXT_EXTENSIONS: ReadonlySet<string> = new Set(['txt', 'caption', 'text']);

export type PartKind = 'image' | 'text' | 'json' | 'other';

/** What a part is for, by the last piece of its name. */
export function partKind(part: string): PartKind {
  const extension = part.slice(part.lastIndexOf('.') + 1).toLowerCase();
  if (IMAGE_EXTENSIONS.has(extension)) return 'image';
  if (TEXT_EXTENSIONS.has(extension)) return 'text';
  return extension === 'json' ? 'json' : 'other';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The record of some parts, images in the order of their names.
 * @throws Error whose message is the reason why there is none.
 */
export function recordOfParts(parts: ReadonlyMap<string, Uint8Array>, key: string): RawRecord {
  const images: Uint8Array[] = [];
  let fields: Record<string, unknown> = {};
  let text: string | undefined;
  for (const [name, bytes] of [...parts].sort(([a], [b]) => compareNames(a, b))) {
    const kind = partKind(name);
    if (kind === 'json') fields = { ...fields, ...readFields(bytes) };
    else if (kind === 'text') text = decode(bytes, 'text');
    else if (kind === 'image' || imageKind(bytes) !== undefined) images.push(bytes);
  }
  const hasTurns = 'messages' in fields || 'conversations' in fields || text === undefined;
  return { fields: hasTurns ? fields : { ...fields, caption: text }, images, key };
}

/** An object, or a bare list of turns. */
function readFields(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(decode(bytes, 'JSON'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error('the JSON does not parse');
    throw error;
  }
  if (Array.isArray(value)) return { messages: value };
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new Error('the JSON is not an object');
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Error(`the ${what} is not valid UTF-8`);
  }
}

/** `2.jpg` before `10.jpg`. */
function compareNames(a: string, b: string): number {
  const [x, y] = [
    Number.parseInt(/\d+/.exec(a)?.[0] ?? '', 10),
    Number.parseInt(/\d+/.exec(b)?.[0] ?? '', 10),
  ];
  if (x !== y && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a < b ? -1 : 1;
}
