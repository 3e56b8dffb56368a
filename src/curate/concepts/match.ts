// The concepts of a text by name: what the matcher finds in it, each followed by what lies above.
import type { ConceptList } from './concept-list.ts';

export interface MatchOptions {
  /** Hypernym steps that are added to each match; default 0. */
  readonly rollUp?: number;
  /** Of the text, where it is known; see `ConceptList.matcherFor`. */
  readonly language?: string | undefined;
}

/** The distinct concepts of a text, in order of appearance, each followed by its roll-up. */
export function matchConcepts(
  text: string,
  list: ConceptList,
  { rollUp = 0, language = '' }: MatchOptions = {},
): string[] {
  const found = new Set<string>();
  for (const id of list.matcherFor(language).match(text)) {
    const name = list.names[id] ?? '';
    found.add(name);
    if (rollUp > 0) for (const above of list.hypernyms(name, rollUp)) found.add(above);
  }
  return [...found];
}
