// A list of concepts: names with ids, other words they are found by, what lies above them.
import { createTextMatcher, type TextMatcher } from '../match/text-matcher.ts';

export interface ConceptList {
  /** Number of concepts. */
  readonly size: number;
  /** What names it for a hash: where it comes from and how it was made. */
  readonly version: string;
  /** Id → concept. */
  readonly names: readonly string[];
  has(concept: string): boolean;
  /** Finds the concepts of a text; built when it is first asked for. */
  readonly matcher: TextMatcher;
  /** Nouns above a concept, nearest first, at most `steps` of them; only those that can be drawn. */
  hypernyms(concept: string, steps: number): string[];
}

/** A concept with the words it is found by. */
export interface ListedConcept {
  readonly name: string;
  /** Other names of the same thing, in any language. */
  readonly labels?: readonly string[];
}

export interface ListOptions {
  readonly version: string;
  /** Words of the longest name that is looked for in a text; default 3. */
  readonly maxWords?: number | undefined;
  readonly hypernyms?: ConceptList['hypernyms'];
}

/** A list of given concepts. A label that two share belongs to the first, a name to its own. */
export function conceptList(
  concepts: readonly ListedConcept[],
  { version, maxWords, hypernyms = () => [] }: ListOptions,
): ConceptList {
  const names = concepts.map((concept) => concept.name);
  const ids = new Map(names.map((name, id) => [name, id]));
  let matcher: TextMatcher | undefined;
  return {
    size: names.length,
    version,
    names,
    has: (concept) => ids.has(concept),
    get matcher() {
      matcher ??= createTextMatcher(labelsOf(concepts), { maxWords: maxWords ?? 3 });
      return matcher;
    },
    hypernyms,
  };
}

function labelsOf(concepts: readonly ListedConcept[]): [string, number][] {
  const labels = concepts.map(({ name }, id): [string, number] => [name, id]);
  for (const [id, concept] of concepts.entries()) {
    for (const label of concept.labels ?? []) labels.push([label, id]);
  }
  return labels;
}
