// Finds the concepts of a text: the longest lemma of three, two or one words, plurals folded.
// Needs no model; what a word means in its sentence it does not ask.
import type { ConceptList } from './concept-list.ts';

const MAX_WORDS = 3;
const IRREGULAR: ReadonlyMap<string, string> = new Map(
  Object.entries({
    children: 'child',
    feet: 'foot',
    geese: 'goose',
    hands: 'hand',
    mice: 'mouse',
    oxen: 'ox',
    people: 'person',
    teeth: 'tooth',
  }),
);

export interface MatchOptions {
  /** Hypernym steps that are added to each match; default 0. */
  readonly rollUp?: number;
}

/** The distinct concepts of a text, in order of appearance, each followed by its roll-up. */
export function matchConcepts(
  text: string,
  list: ConceptList,
  options: MatchOptions = {},
): string[] {
  const words =
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[a-z']+|[^a-z'\s-]+/g) ?? [];
  const found = new Set<string>();
  for (let at = 0; at < words.length; ) {
    const match = longestAt(words, at, list);
    if (match === undefined) {
      at += 1;
      continue;
    }
    found.add(match.lemma);
    for (const above of list.hypernyms(match.lemma, options.rollUp ?? 0)) found.add(above);
    at += match.numWords;
  }
  return [...found];
}

function longestAt(
  words: readonly string[],
  at: number,
  list: ConceptList,
): { readonly lemma: string; readonly numWords: number } | undefined {
  for (let numWords = Math.min(MAX_WORDS, words.length - at); numWords > 0; numWords--) {
    const head = words.slice(at, at + numWords - 1).join(' ');
    for (const last of singulars(words[at + numWords - 1] ?? '')) {
      const lemma = head === '' ? last : `${head} ${last}`;
      if (list.has(lemma)) return { lemma, numWords };
    }
  }
  return undefined;
}

/** The word itself first: `glasses` is a thing of its own. Then what it may be the plural of. */
function singulars(word: string): string[] {
  const bare = word.replace(/'s?$/, '');
  const forms = bare === word ? [word] : [word, bare];
  const irregular = IRREGULAR.get(bare);
  if (irregular !== undefined) forms.unshift(irregular);
  if (bare.endsWith('men')) forms.push(`${bare.slice(0, -2)}an`);
  if (bare.endsWith('ies')) forms.push(`${bare.slice(0, -3)}y`);
  if (bare.endsWith('ves')) forms.push(`${bare.slice(0, -3)}f`, `${bare.slice(0, -3)}fe`);
  if (bare.endsWith('s') && !bare.endsWith('ss')) forms.push(bare.slice(0, -1));
  if (bare.endsWith('es')) forms.push(bare.slice(0, -2));
  return forms;
}
