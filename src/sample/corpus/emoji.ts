// Four drawing styles of the same emoji, joined with the words of emojibase. Rendering is elsewhere.
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { StyleName } from './config.ts';
import { type EmojiEntry, joinKey, readEmojibase } from './emojibase.ts';
import { packageFolder } from './packages.ts';
import type { Picture } from './picture.ts';

type Load = () => Promise<Uint8Array>;

export interface EmojiStyle {
  /** Source id of its samples. */
  readonly name: StyleName;
  readonly package: string;
  /** Its pictures are never trained on: they measure the step to an unseen style. */
  readonly heldOut: boolean;
  /** Join key → picture. */
  index(folder: string): Map<string, Load>;
}

export const EMOJI_STYLES: readonly EmojiStyle[] = [
  {
    name: 'fluent3d',
    package: '@lobehub/fluent-emoji-3d',
    heldOut: false,
    index: (folder) => indexFiles(join(folder, 'assets'), '.webp'),
  },
  { name: 'noto', package: '@iconify-json/noto', heldOut: false, index: indexNoto },
  {
    name: 'twemoji',
    package: '@twemoji/svg',
    heldOut: false,
    index: (folder) => indexFiles(folder, '.svg'),
  },
  {
    name: 'openmoji',
    package: 'openmoji',
    heldOut: true,
    index: (folder) => indexFiles(join(folder, 'color', 'svg'), '.svg'),
  },
];

/**
 * The labelled pictures of one style. The training styles come with their skin-tone variants (the
 * near-duplicates that curation has to find); the held-out style has base emoji only.
 */
export function listEmoji(
  style: EmojiStyle,
  entries: readonly EmojiEntry[] = readEmojibase(),
): Picture[] {
  const pictures = style.index(packageFolder(style.package));
  return entries.flatMap((entry) => {
    const load = pictures.get(entry.key);
    if (load === undefined || (style.heldOut && entry.tone !== null)) return [];
    const { label, tags, hexcode, tone, group, subgroup } = entry;
    return [
      {
        uid: `${style.name}:${entry.key}`,
        source: style.name,
        group: `emoji:${entry.baseKey}`,
        label,
        tags,
        meta: {
          hexcode,
          tone,
          variantOf: tone === null ? null : `${style.name}:${entry.baseKey}`,
          style: style.name,
          emojiGroup: group,
          emojiSubgroup: subgroup,
          ...(style.heldOut ? { heldOutStyle: true } : {}),
        },
        load,
      },
    ];
  });
}

function indexFiles(folder: string, extension: string): Map<string, Load> {
  const index = new Map<string, Load>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(extension)) continue;
    const key = joinKey(name.slice(0, -extension.length));
    if (!index.has(key)) index.set(key, () => readFile(join(folder, name)));
  }
  return index;
}

const iconsSchema = z.object({ icons: z.record(z.string(), z.object({ body: z.string() })) });
const charsSchema = z.record(z.string(), z.string());
const SVG_HEAD =
  '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ' +
  'viewBox="0 0 128 128" width="128" height="128">';

function indexNoto(folder: string): Map<string, Load> {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const { icons } = iconsSchema.parse(read('icons.json'));
  const index = new Map<string, Load>();
  for (const [hexcode, name] of Object.entries(charsSchema.parse(read('chars.json')))) {
    const body = icons[name]?.body;
    if (body === undefined) continue;
    index.set(joinKey(hexcode), async () => Buffer.from(`${SVG_HEAD}${body}</svg>`, 'utf8'));
  }
  return index;
}
