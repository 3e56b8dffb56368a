// The JSON member of a sample in a shard: to bytes and back, with a reason for what is wrong.
// Plain checks, not zod: this runs once for every sample of a corpus.
import type { JsonValue, Message, Sample, Split } from './sample.ts';

/** A sample whose images are still names. */
export interface SampleRecord extends Omit<Sample, 'images'> {
  readonly images: readonly string[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const ROLES: readonly string[] = ['system', 'user', 'assistant'];
const SPLITS: readonly string[] = ['train', 'val', 'test'];

/** The bytes of a sample's JSON member; fields in a fixed order. */
export function encodeSampleJson(sample: Sample): Buffer {
  const { uid, source, group, split, messages, meta } = sample;
  const images = sample.images.map((image) => image.name);
  return Buffer.from(JSON.stringify({ uid, source, group, split, messages, images, meta }), 'utf8');
}

/**
 * Read a sample's JSON member.
 * @throws Error whose message is the reason for the skip: invalid UTF-8, not JSON, a wrong field.
 */
export function parseSampleJson(bytes: Uint8Array): SampleRecord {
  const value = parseJson(bytes);
  if (!isRecord(value)) throw new Error('the JSON is not an object');
  const { uid, source, group, split, messages, images, meta } = value;
  return {
    uid: readText(uid, 'uid'),
    source: readText(source, 'source'),
    group: readText(group, 'group'),
    split: readSplit(split),
    messages: readMessages(messages),
    images: readNames(images),
    meta: readMeta(meta),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new Error('the JSON is not valid UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the JSON does not parse');
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(value: unknown, field: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`field ${field} is not a text`);
}

function readSplit(value: unknown): Split {
  if (typeof value === 'string' && SPLITS.includes(value)) return value as Split;
  throw new Error('field split is not train, val or test');
}

function readMessages(value: unknown): Message[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error('field messages is empty');
  return value.map((item: unknown) => {
    if (!isRecord(item)) throw new Error('a message is not an object');
    const { role, content } = item;
    if (typeof role !== 'string' || !ROLES.includes(role)) throw new Error('a role is unknown');
    if (typeof content !== 'string') throw new Error('a message has no text');
    return { role: role as Message['role'], content };
  });
}

function readNames(value: unknown): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw new Error('field images is not a list of names');
}

function readMeta(value: unknown): Readonly<Record<string, JsonValue>> {
  if (value === undefined) return {};
  if (isRecord(value)) return value as Record<string, JsonValue>;
  throw new Error('field meta is not an object');
}
