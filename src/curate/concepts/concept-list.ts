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
  /** Finds the concepts of a text by their names in every language; built when first asked for. */
  readonly matcher: TextMatcher;
  /**
   * Finds them by their names in one language alone ("and" is a duck in Danish): by the English
   * ones for a language that the list does not have, by all for ''.
   */
  matcherFor(language: string): TextMatcher;
  /** Nouns above a concept, nearest first, at most `steps` of them; only those that can be drawn. */
  hypernyms(concept: string, steps: number): string[];
}

/** A concept with the words it is found by. */
export interface ListedConcept {
  readonly name: string;
  /** Language → other names of the same thing. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
}

export interface ListOptions {
  readonly version: string;
  /** Words of the longest name that is looked for in a text; default 3. */
  readonly maxWords?: number | undefined;
  readonly hypernyms?: ConceptList['hypernyms'];
}

/** The language of the names themselves. */
const OWN_LANGUAGE = 'en';

/** A list of given concepts. A label that two share belongs to the first, a name to its own. */
export function conceptList(
  concepts: readonly ListedConcept[],
  { version, maxWords, hypernyms = () => [] }: ListOptions,
): ConceptList {
  const names = concepts.map((concept) => concept.name);
  const ids = new Map(names.map((name, id) => [name, id]));
  const languages = new Set(
    concepts.flatMap(({ labels }) => Object.keys(labels ?? {}).map(primary)),
  );
  const matchers = new Map<string, TextMatcher>();
  const matcherFor = (language: string): TextMatcher => {
    const asked = primary(language);
    const isKnown = asked === '' || languages.has(asked);
    const key = languages.size === 0 ? '' : isKnown ? asked : OWN_LANGUAGE;
    const known = matchers.get(key);
    if (known !== undefined) return known;
    const made = createTextMatcher(labelsOf(concepts, key), { maxWords: maxWords ?? 3 });
    matchers.set(key, made);
    return made;
  };
  return {
    size: names.length,
    version,
    names,
    has: (concept) => ids.has(concept),
    get matcher() {
      return matcherFor('');
    },
    matcherFor,
    hypernyms,
  };
}

/** The names in a language, in all of them for ''. */
function labelsOf(concepts: readonly ListedConcept[], language: string): [string, number][] {
  const hasNames = language === '' || language === OWN_LANGUAGE;
  const labels = hasNames ? concepts.map(({ name }, id): [string, number] => [name, id]) : [];
  for (const [id, concept] of concepts.entries()) {
    for (const [code, names] of Object.entries(concept.labels ?? {})) {
      if (language !== '' && primary(code) !== language) continue;
      for (const name of names) labels.push([name, id]);
    }
  }
  return labels;
}

/** `zh-hant`, `zh_TW` → `zh`. */
function primary(language: string): string {
  return language.toLowerCase().split(/[-_]/)[0] ?? '';
}
