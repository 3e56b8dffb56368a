// The words of the emoji pictures: labels, tags, groups and skin tones from emojibase. No pictures.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { packageFolder } from './packages.ts';

export interface EmojiEntry {
  /** Joins words and pictures: the hexcode in lower case without its `fe0f` parts. */
  readonly key: string;
  /** Key of the emoji without a skin tone; its own key where it has none. */
  readonly baseKey: string;
  readonly hexcode: string;
  readonly label: string;
  readonly tags: readonly string[];
  /** `1` (light) to `5` (dark), `1-3` for two people; null for the emoji without a tone. */
  readonly tone: string | null;
  /** `smileys-emotion`, `animals-nature`, …; `component` where it is no picture of a thing. */
  readonly group: string;
  /** `face-smiling`, `animal-mammal`, …; null for components. */
  readonly subgroup: string | null;
}

/** The part of the package that holds the other languages. */
export const LANGUAGES_PACKAGE = 'emojibase-languages';

/** What an emoji is called in one of 28 languages. */
export interface EmojiName {
  /** Equal for one emoji in all languages. */
  readonly key: string;
  /** The English name. */
  readonly name: string;
  /** `de`, `zh-hant`, … */
  readonly language: string;
  readonly label: string;
  readonly tags: readonly string[];
}

const skinSchema = z.object({
  label: z.string(),
  hexcode: z.string(),
  tone: z.union([z.number(), z.array(z.number())]),
});
const entrySchema = z.object({
  label: z.string(),
  hexcode: z.string(),
  tags: z.array(z.string()).optional(),
  group: z.number().optional(),
  subgroup: z.number().optional(),
  skins: z.array(skinSchema).optional(),
});
const nameSchema = z.object({ key: z.string(), order: z.number() });
const messagesSchema = z.object({ groups: z.array(nameSchema), subgroups: z.array(nameSchema) });

/** The join key of a hexcode or file stem: `1F481-200D-2640-FE0F` → `1f481-200d-2640`. */
export function joinKey(hexcode: string): string {
  const parts = hexcode.toLowerCase().split('-');
  return parts.filter((part) => part !== 'fe0f').join('-');
}

/** All labelled emoji of the package in English, skin tones included, in the package's order. */
export function readEmojibase(): EmojiEntry[] {
  const folder = packageFolder('emojibase-data');
  const names = messagesSchema.parse(readJsonFile(join(folder, 'en', 'messages.json')));
  const groups = new Map(names.groups.map(({ key, order }) => [order, key]));
  const subgroups = new Map(names.subgroups.map(({ key, order }) => [order, key]));
  return readWords(folder, 'en').flatMap(({ key, hexcode, label, tags, skins, ...entry }) => {
    const base: EmojiEntry = {
      key,
      baseKey: key,
      hexcode,
      label,
      tags,
      tone: null,
      group: groups.get(entry.group ?? -1) ?? 'component',
      subgroup: subgroups.get(entry.subgroup ?? -1) ?? null,
    };
    const tones = skins.map((skin) => ({
      ...base,
      key: joinKey(skin.hexcode),
      hexcode: skin.hexcode,
      label: skin.label,
      tone: [skin.tone].flat().join('-'),
    }));
    return [base, ...tones];
  });
}

/**
 * Every emoji without skin tones in every language, English included.
 * @throws OneVisionError 'data' with the command that fetches the package.
 */
export function* readEmojiNames(): Generator<EmojiName, void, undefined> {
  const folder = packageFolder(LANGUAGES_PACKAGE);
  const languages = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isDirectory());
  const names = new Map(readWords(folder, 'en').map(({ key, label }) => [key, label]));
  for (const { name: language } of languages.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const { key, label, tags } of readWords(folder, language)) {
      const name = names.get(key);
      if (name !== undefined) yield { key, name, language, label, tags };
    }
  }
}

/** The words of one language, skin tones within their emoji. */
function readWords(folder: string, language: string) {
  const data = z.array(entrySchema).parse(readJsonFile(join(folder, language, 'data.json')));
  return data.map(({ tags = [], skins = [], ...entry }) => {
    return { ...entry, key: joinKey(entry.hexcode), tags, skins };
  });
}

function readJsonFile(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
