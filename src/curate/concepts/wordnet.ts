// Reads the nouns of a WordNet 3.x dictionary (index.noun, data.noun): lemma → senses, their
// lexicographer file and hypernyms. Format: the manual page wndb(5WN).

/** The lexicographer files of nouns whose things can be drawn (and places, acts and events). */
const PHYSICAL_LEXNAMES: ReadonlyMap<number, string> = new Map([
  [4, 'act'],
  [5, 'animal'],
  [6, 'artifact'],
  [8, 'body'],
  [11, 'event'],
  [13, 'food'],
  [15, 'location'],
  [17, 'object'],
  [18, 'person'],
  [19, 'phenomenon'],
  [20, 'plant'],
  [25, 'shape'],
  [27, 'substance'],
]);

export interface Synset {
  readonly lexname: number;
  /** Its words, blanks for underscores, lower case. */
  readonly words: readonly string[];
  /** Offsets of its hypernyms (also of the class of an instance). */
  readonly hypernyms: readonly string[];
}

/** The file of the topmost nouns: `person`, `animal`, `food`, but also `relation`. */
const TOPS = 3;
const PHYSICAL_ENTITY = 'physical entity';

export interface WordNet {
  /** Lemma → offsets of its senses, the most frequent first. */
  readonly senses: ReadonlyMap<string, readonly string[]>;
  readonly synsets: ReadonlyMap<string, Synset>;
}

/**
 * @param index text of `index.noun`
 * @param data text of `data.noun`
 */
export function parseWordNet(index: string, data: string): WordNet {
  const senses = new Map<string, readonly string[]>();
  for (const line of dataLines(index)) {
    const fields = line.trimEnd().split(' ');
    const numSenses = Number(fields[2]);
    if (numSenses > 0) senses.set(normalise(fields[0] ?? ''), fields.slice(-numSenses));
  }
  const synsets = new Map<string, Synset>();
  for (const line of dataLines(data)) {
    const fields = line.split(' ');
    synsets.set(fields[0] ?? '', parseSynset(fields));
  }
  return { senses, synsets };
}

/** Whether what a synset names can be drawn: by its file, among the topmost nouns by ancestry. */
export function isPhysical(wordnet: WordNet, offset: string): boolean {
  const synset = wordnet.synsets.get(offset);
  if (synset === undefined) return false;
  if (synset.lexname !== TOPS) return PHYSICAL_LEXNAMES.has(synset.lexname);
  if (synset.words[0] === PHYSICAL_ENTITY) return true;
  return synset.hypernyms.some((above) => isPhysical(wordnet, above));
}

/** `offset lexname type numWords(hex) (word id)… numPointers (symbol offset pos source)… | gloss` */
function parseSynset(fields: readonly string[]): Synset {
  const numWords = Number.parseInt(fields[3] ?? '0', 16);
  const words = Array.from({ length: numWords }, (_, i) => normalise(fields[4 + 2 * i] ?? ''));
  const start = 4 + 2 * numWords;
  const numPointers = Number(fields[start]);
  const hypernyms: string[] = [];
  for (let i = 0; i < numPointers; i++) {
    const at = start + 1 + 4 * i;
    if (fields[at] === '@' || fields[at] === '@i') hypernyms.push(fields[at + 1] ?? '');
  }
  return { lexname: Number(fields[1]), words, hypernyms };
}

/** Licence lines begin with a blank. */
function dataLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
}

function normalise(lemma: string): string {
  return lemma.toLowerCase().replaceAll(/[_-]/g, ' ');
}
