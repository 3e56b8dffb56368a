// The labels and tags that samples bring along, as names of concepts; in other languages too.
import type { Sample } from '../../../sample/sample.ts';
import { isUnspaced } from '../../match/alphabet.ts';

/** Counts of one name, and its names in other languages. */
export interface LabelCount {
  count: number;
  /** Language → name → how often. */
  readonly translations: Map<string, Map<string, number>>;
}

export interface LabelCounter {
  add(sample: Sample): void;
  readonly labels: ReadonlyMap<string, LabelCount>;
}

const MAX_WORDS = 5;
const MAX_CHARS = 60;
/** Articles in front of a name, by no language in particular. */
const ARTICLE =
  /^(?:an?|the|some|ein|eine|einen|der|die|das|une?|les?|la|l'|el|los|las|una|uno|unos|unas|il|lo|gli|uma|os?|as?|de|het|een|ett?|en) (?=\S)/;

/** A label as the name of a concept: `A flower.` → `flower`; undefined where it is none. */
export function conceptName(label: string): string | undefined {
  const plain = label
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replaceAll(/[_-]/g, ' ')
    .replace(/[\s.!?。！？]+$/u, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const name = plain.replace(ARTICLE, '');
  const hasLetter = /\p{L}/u.test(name);
  // A name that matching could not find: it has a sign inside.
  const isWhole = /^[\p{L}\p{M}\p{N}' ]+$/u.test(name);
  const isShort = name.length <= MAX_CHARS && name.split(' ').length <= MAX_WORDS;
  // One letter names nothing, one character of Chinese may.
  const isLong = name.length > 1 || isUnspaced(name);
  return hasLetter && isWhole && isShort && isLong ? name : undefined;
}

/** Counts `meta.label`, `meta.tags` and `meta.labels` (language → label) of samples. */
export function createLabelCounter(): LabelCounter {
  const labels = new Map<string, LabelCount>();
  const bump = (text: unknown): LabelCount | undefined => {
    const name = typeof text === 'string' ? conceptName(text) : undefined;
    if (name === undefined) return undefined;
    const entry = labels.get(name) ?? { count: 0, translations: new Map() };
    labels.set(name, entry);
    entry.count += 1;
    return entry;
  };
  return {
    labels,
    add: ({ meta }) => {
      const own = bump(meta['label']);
      const tags = meta['tags'];
      if (Array.isArray(tags)) for (const tag of tags) bump(tag);
      const others = meta['labels'];
      if (own === undefined || typeof others !== 'object' || others === null) return;
      for (const [language, label] of Object.entries(others)) addTranslation(own, language, label);
    },
  };
}

/** Notes what a concept is called in a language. */
export function addTranslation(entry: LabelCount, language: string, label: unknown): void {
  const name = typeof label === 'string' ? conceptName(label) : undefined;
  if (name === undefined) return;
  const names = entry.translations.get(language) ?? new Map<string, number>();
  entry.translations.set(language, names.set(name, (names.get(name) ?? 0) + 1));
}
