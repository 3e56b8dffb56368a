// The words of the emoji pictures: labels, tags, groups and skin tones from emojibase. No pictures.
import { readFileSync } from 'node:fs';
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

/** All labelled emoji of the package, skin tones included, in the package's order. */
export function readEmojibase(locale = 'en'): EmojiEntry[] {
  const folder = join(packageFolder('emojibase-data'), locale);
  const data = z.array(entrySchema).parse(readJsonFile(join(folder, 'data.json')));
  const names = messagesSchema.parse(readJsonFile(join(folder, 'messages.json')));
  const groups = new Map(names.groups.map(({ key, order }) => [order, key]));
  const subgroups = new Map(names.subgroups.map(({ key, order }) => [order, key]));
  return data.flatMap((entry) => {
    const base: EmojiEntry = {
      key: joinKey(entry.hexcode),
      baseKey: joinKey(entry.hexcode),
      hexcode: entry.hexcode,
      label: entry.label,
      tags: entry.tags ?? [],
      tone: null,
      group: groups.get(entry.group ?? -1) ?? 'component',
      subgroup: subgroups.get(entry.subgroup ?? -1) ?? null,
    };
    const tones = (entry.skins ?? []).map(({ label, hexcode, tone }) => ({
      ...base,
      key: joinKey(hexcode),
      hexcode,
      label,
      tone: [tone].flat().join('-'),
    }));
    return [base, ...tones];
  });
}

function readJsonFile(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
