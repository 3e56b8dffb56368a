// One row of a foreign data set → a sample. Every refusal is an Error whose message is the reason.
import type { Sample, SampleImage } from '../../sample.ts';
import { splitOf } from '../../split.ts';
import { conversationOf } from './conversation.ts';
import { type Fields, field, idText, metaOf } from './fields.ts';
import { imageKind, MAX_IMAGE_BYTES, readImageFile, readImageRange } from './image-file.ts';
import { isOurs, sampleOfRow } from './ours.ts';

/** What a row is read with. */
export interface RecordContext {
  /** Source of the sample, beginning of its uid. */
  readonly name: string;
  /** Shard of the row; absent where keys are unique in the whole source. */
  readonly shard?: string | undefined;
  /** Folder that image paths are relative to. */
  readonly imageRoot: string;
}

export interface RawRecord {
  readonly fields: Fields;
  /** The images; where absent, the image field and the conversation name them. */
  readonly images?: readonly Uint8Array[] | undefined;
  /** Identifier in the shard; where absent, the row's `id`, else its number. */
  readonly key?: string | undefined;
}

const MAX_IMAGES = 256;

/**
 * The sample of a row. Its uid is `name:uid` where the row has a `uid`, which must be unique in the
 * whole source; else `name:shard:key`.
 */
export async function toSample(record: RawRecord, context: RecordContext): Promise<Sample> {
  const { fields } = record;
  if (isOurs(fields)) return await sampleOfRow(fields, (ref) => bytesOf(ref, context.imageRoot));
  const refs = record.images ?? listOf(field(fields, 'image'));
  const conversation = conversationOf(fields, refs.length);
  const all = refs.length > 0 ? refs : conversation.imageRefs;
  if (all.length > MAX_IMAGES) throw new Error(`${all.length} images`);
  const images: SampleImage[] = [];
  for (const [i, ref] of all.entries()) {
    const bytes = await bytesOf(ref, context.imageRoot);
    images.push({ name: `img${i}.${kindOf(bytes)}`, bytes });
  }
  const uid = uidOf(record, context);
  const group = groupOf(all[0], context.name) ?? uid;
  return {
    uid,
    source: context.name,
    group,
    split: splitOf(group),
    messages: conversation.messages,
    images,
    meta: metaOf(fields),
  };
}

function uidOf({ fields, key }: RawRecord, context: RecordContext): string {
  const uid = idText(field(fields, 'uid'));
  return uid === undefined ? placeUid(context, String(key)) : `${context.name}:${uid}`;
}

/** A uid by place: `name:shard:key`. */
export function placeUid({ name, shard }: RecordContext, key: string): string {
  return [name, shard, key].filter((part) => part !== undefined).join(':');
}

/** Several conversations about one file stay on one side of the split. */
function groupOf(ref: unknown, name: string): string | undefined {
  const path = typeof ref === 'string' ? ref : undefined;
  return path === undefined ? undefined : `${name}:${path}`;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === '') return [];
  const list = Array.isArray(value) ? value : [value];
  return list.filter((item) => item !== null && item !== undefined);
}

function kindOf(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) throw new Error('an image is empty');
  if (bytes.byteLength > MAX_IMAGE_BYTES) throw new Error(`an image of ${bytes.byteLength} bytes`);
  const kind = imageKind(bytes);
  if (kind === undefined) throw new Error('an image is no JPEG, PNG, WebP, GIF, TIFF or AVIF');
  return kind;
}

/**
 * Bytes; a Hugging Face struct {bytes, path}; a path below the root; a range {file, offset, size} of
 * a file there; a data: address.
 */
async function bytesOf(ref: unknown, root: string): Promise<Uint8Array> {
  if (ref instanceof Uint8Array) return ref;
  if (typeof ref === 'string') {
    const inline = /^data:image\/[\w.+-]+;base64,/.exec(ref)?.[0];
    if (inline === undefined) return await readImageFile(root, ref.replace(/^file:\/\//, ''));
    return Buffer.from(ref.slice(inline.length), 'base64');
  }
  if (typeof ref !== 'object' || ref === null)
    throw new Error('an image is neither bytes nor path');
  const { bytes, path, url, file, offset, size } = ref as Record<string, unknown>;
  if (typeof file === 'string')
    return await readImageRange(root, file, Number(offset), Number(size));
  const inner = bytes ?? path ?? url;
  if (typeof inner === 'string' || inner instanceof Uint8Array) return await bytesOf(inner, root);
  throw new Error('an image has neither bytes nor path');
}
