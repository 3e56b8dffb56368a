// What every picture source lists: a picture that can be loaded, its words, and where it belongs.
import type { JsonValue } from '../sample.ts';

export interface Picture {
  readonly uid: string;
  readonly source: string;
  /** See `Sample.group`; the split hashes it. */
  readonly group: string;
  /** What the picture shows, as the source says it. */
  readonly label: string;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, JsonValue>>;
  /** The encoded picture: SVG, PNG, WebP or JPEG. */
  load(): Promise<Uint8Array>;
}

const MAX_TAGS = 4;

/** Label as a sentence, with up to four tags that say more: `Unicorn (face, horn).` */
export function captionOf(label: string, tags: readonly string[]): string {
  const text = label.trim();
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  const known = text.toLowerCase();
  const more = tags.filter((tag) => !known.includes(tag.toLowerCase())).slice(0, MAX_TAGS);
  const end = /[.!?]$/.exec(sentence)?.[0] ?? '.';
  const body = sentence.replace(/[.!?]$/, '');
  return more.length === 0 ? `${body}${end}` : `${body} (${more.join(', ')})${end}`;
}

/** Order by uid in code units, which no locale changes. */
export function byUid(a: { readonly uid: string }, b: { readonly uid: string }): number {
  return a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0;
}
