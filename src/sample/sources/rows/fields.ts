// The names under which data sets keep their fields, case ignored: COYO, LAION, DataComp,
// img2dataset, LLaVA, Hugging Face. The first name of a list that is there wins.
import type { JsonValue } from '../../sample.ts';

/** A row of a table or an object of a JSON file. */
export type Fields = Readonly<Record<string, unknown>>;

export type Role =
  | 'uid'
  | 'id'
  | 'caption'
  | 'messages'
  | 'conversations'
  | 'image'
  | 'url'
  | 'sha256';

const ALIASES: Readonly<Record<Role, readonly string[]>> = {
  /** Unique in the whole data set. */
  uid: ['uid', 'sample_id'],
  /** Unique in its file at best. */
  id: ['id', 'key', 'index'],
  caption: ['caption', 'text', 'alt_text', 'alttext', 'description', 'captions', 'texts', 'txt'],
  messages: ['messages'],
  conversations: ['conversations', 'conversation'],
  image: ['image', 'images', 'img', 'jpg', 'jpeg', 'png', 'webp', 'file_name', 'image_path'],
  url: ['url', 'image_url', 'img_url'],
  sha256: ['sha256'],
};

/** The name that a field of a role has in these fields. */
export function fieldName(names: Iterable<string>, role: Role): string | undefined {
  const byLower = new Map<string, string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    if (!byLower.has(lower)) byLower.set(lower, name);
  }
  const found = ALIASES[role].find((alias) => byLower.has(alias));
  return found === undefined ? undefined : byLower.get(found);
}

/** The value of a role; undefined when there is none, or it is null. */
export function field(fields: Fields, role: Role): unknown {
  const name = fieldName(Object.keys(fields), role);
  return name === undefined ? undefined : (fields[name] ?? undefined);
}

const CONTENT: readonly Role[] = ['caption', 'messages', 'conversations', 'image'];
const MAX_META_FIELDS = 64;
const MAX_META_TEXT = 8192;

/** What else a row says: texts, numbers and lists of texts; no bytes and nothing of the content. */
export function metaOf(fields: Fields): Record<string, JsonValue> {
  const content = new Set(CONTENT.map((role) => fieldName(Object.keys(fields), role)));
  const entries: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (content.has(name) || name === '__proto__' || entries.length >= MAX_META_FIELDS) continue;
    const plain = plainValue(value);
    if (plain !== undefined) entries.push([name, plain]);
  }
  return Object.fromEntries(entries);
}

function plainValue(value: unknown, isItem = false): JsonValue | undefined {
  if (typeof value === 'string') {
    return value.length <= MAX_META_TEXT ? value.toWellFormed() : undefined;
  }
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') {
    const isSafe = BigInt(Number(value)) === value && Number.isSafeInteger(Number(value));
    return isSafe ? Number(value) : String(value);
  }
  if (isItem || !Array.isArray(value) || value.length > MAX_META_FIELDS) return undefined;
  const items = value.map((item) => plainValue(item, true));
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** An identifier as text: whole numbers may come as doubles, as in LAION. */
export function idText(value: unknown): string | undefined {
  if (typeof value === 'string' && value.trim() !== '') return value.trim().slice(0, 200);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return undefined;
}
