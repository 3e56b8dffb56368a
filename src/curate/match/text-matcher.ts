// Finds the concepts of a text: by words in scripts with spaces (a trie of words: the longest name
// at each place, its last word folded to the singular), by characters in the others (an automaton).
// Needs no model; what a word means in its sentence it does not ask.
import { alphabetOf, GAP, isUnspaced, LETTER, UNSPACED } from './alphabet.ts';
import { createAutomaton } from './automaton.ts';
import { Trie } from './edges.ts';
import { singulars } from './plurals.ts';
import { finishHash, HASH_START, hashOf, stepHash, WordTable } from './words.ts';

export interface TextMatcher {
  /**
   * Ids of the distinct concepts of a text, in order of appearance. The array is overwritten by the
   * next call.
   */
  match(text: string): Int32Array;
}

export interface TextMatcherOptions {
  /** Words of the longest name that is looked for; default 3. */
  readonly maxWords?: number;
}

/** Names of concepts with the ids that are reported; several names may share one. */
export type Labels = readonly (readonly [name: string, id: number])[];

const NONE = -1;
/** Words of texts that are remembered beside those of the list. */
const MAX_REMEMBERED = 1 << 20;
const MAX_FOUND = 4096;

export function createTextMatcher(
  labels: Labels,
  { maxWords = 3 }: TextMatcherOptions = {},
): TextMatcher {
  const { kind, lower } = alphabetOf(labels.map(([name]) => name));
  const byCharacter = labels.filter(([name]) => isUnspaced(name));
  const automaton = byCharacter.length > 0 ? createAutomaton(byCharacter) : undefined;
  const trie = new NameTrie(labels, kind, lower, maxWords);
  let codes = new Uint16Array(1024);
  const found = new Int32Array(MAX_FOUND);
  let numFound = 0;
  const report = (id: number): void => {
    for (let i = 0; i < numFound; i++) if (found[i] === id) return;
    if (numFound < MAX_FOUND) found[numFound++] = id;
  };
  const match = (text: string): Int32Array => {
    const { length } = text;
    if (length > codes.length) codes = new Uint16Array(2 * length);
    numFound = 0;
    for (let at = 0; at < length; ) {
      const unit = text.charCodeAt(at);
      const what = kind[unit] as number;
      if (what === LETTER) {
        const start = at;
        let hash = HASH_START;
        for (let next = unit; kind[next] === LETTER; next = text.charCodeAt(at)) {
          const code = lower[next] as number;
          codes[at++] = code;
          hash = stepHash(hash, code);
          if (at === length) break;
        }
        trie.word(codes, start, at, finishHash(hash));
        continue;
      }
      if (what !== GAP) trie.end(report);
      if (what === UNSPACED && automaton !== undefined) {
        const end = copyRun(text, at, kind, lower, codes);
        automaton.match(codes, at, end, report);
        at = end;
      } else at += 1;
    }
    trie.end(report);
    return found.subarray(0, numFound);
  };
  return { match };
}

/** Copies the characters of a script without spaces from `at` on; returns where they end. */
function copyRun(
  text: string,
  at: number,
  kind: Uint8Array,
  lower: Uint16Array,
  codes: Uint16Array,
): number {
  let end = at;
  while (end < text.length && kind[text.charCodeAt(end)] === UNSPACED) {
    codes[end] = lower[text.charCodeAt(end)] as number;
    end += 1;
  }
  return end;
}

/** What is noted with a word. */
const PLACE = 0;
const FIRST_ID = 1;
const BRANCH = 2;

/** The names of several words as a trie over word numbers, and the stretch of words under way. */
class NameTrie {
  readonly #maxWords: number;
  readonly #table: WordTable;
  readonly #maxTable: number;
  /** Words of the list have lower numbers. */
  readonly #numListWords: number;
  readonly #trie: Trie;
  readonly #ids: Int32Array;
  readonly #isBranch: Uint8Array;
  /** Lists of word numbers, what a word may be a form of: their count, then they. */
  readonly #forms: number[] = [0, 0];
  /** Of each word in the stretch: number, where #forms has its forms, the concept of the word
   * alone, the node of the names that go on after it; −1 where there is none. */
  readonly #words: number[] = [];
  readonly #places: number[] = [];
  readonly #firstIds: number[] = [];
  readonly #branches: number[] = [];
  #numWords = 0;

  constructor(labels: Labels, kind: Uint8Array, lower: Uint16Array, maxWords: number) {
    this.#maxWords = maxWords;
    this.#table = new WordTable(2 * labels.length);
    this.#trie = new Trie(2 * labels.length);
    const ids: number[] = [NONE];
    const branches: number[] = [];
    for (const [name, id] of labels) {
      let node = 0;
      for (const word of wordsOf(name, kind, lower)) {
        const number = this.#table.add(word, 0, word.length, hashOf(word, 0, word.length));
        if (node !== 0) branches.push(node);
        node = this.#trie.grow(node, number);
        if (node === ids.length) ids.push(NONE);
      }
      if (node !== 0 && ids[node] === NONE) ids[node] = id;
    }
    this.#ids = Int32Array.from(ids);
    this.#isBranch = new Uint8Array(ids.length);
    for (const node of branches) this.#isBranch[node] = 1;
    this.#numListWords = this.#table.size;
    this.#maxTable = this.#numListWords + MAX_REMEMBERED;
  }

  /** The next word of the stretch. */
  word(codes: Uint16Array, start: number, end: number, hash: number): void {
    const table = this.#table;
    let number = table.find(codes, start, end, hash);
    if (number === NONE && table.size < this.#maxTable) {
      number = table.add(codes, start, end, hash);
    }
    let place = number === NONE ? 0 : table.note(number, PLACE);
    const at = this.#numWords++;
    if (place !== 0) {
      this.#firstIds[at] = table.note(number, FIRST_ID);
      this.#branches[at] = table.note(number, BRANCH);
    } else {
      place = this.#listForms(String.fromCharCode(...codes.subarray(start, end)));
      const firstId = this.#idBelow(0, place);
      const branch = this.#branchBelow(0, number);
      this.#firstIds[at] = firstId;
      this.#branches[at] = branch;
      if (number !== NONE) {
        table.setNote(number, PLACE, place);
        table.setNote(number, FIRST_ID, firstId);
        table.setNote(number, BRANCH, branch);
      }
    }
    this.#words[at] = number;
    this.#places[at] = place;
  }

  /** Reports the names in the stretch, the longest at each place, and begins a new one. */
  end(report: (id: number) => void): void {
    for (let at = 0; at < this.#numWords; ) at += this.#longest(at, report);
    this.#numWords = 0;
  }

  #longest(at: number, report: (id: number) => void): number {
    const most = Math.min(this.#maxWords, this.#numWords - at);
    let id = this.#firstIds[at] as number;
    let node = this.#branches[at] as number;
    let taken = 1;
    for (let length = 2; length <= most && node !== NONE; length++) {
      const found = this.#idBelow(node, this.#places[at + length - 1] as number);
      if (found !== NONE) [id, taken] = [found, length];
      node = this.#branchBelow(node, this.#words[at + length - 1] as number);
    }
    if (id !== NONE) report(id);
    return taken;
  }

  /** The concept whose name ends below a node with one of some forms, the first that is there. */
  #idBelow(node: number, place: number): number {
    const last = place + (this.#forms[place] as number);
    for (let form = place + 1; form <= last; form++) {
      const target = this.#trie.child(node, this.#forms[form] as number);
      if (target !== NONE && this.#ids[target] !== NONE) return this.#ids[target] as number;
    }
    return NONE;
  }

  /** The node below at a word, where longer names go on from it. */
  #branchBelow(node: number, word: number): number {
    if (word === NONE || word >= this.#numListWords) return NONE;
    const target = this.#trie.child(node, word);
    return target !== NONE && this.#isBranch[target] === 1 ? target : NONE;
  }

  /** Writes down which words of the list a word may be a form of. */
  #listForms(word: string): number {
    const numbers: number[] = [];
    for (const form of singulars(word)) {
      const codes = Uint16Array.from(form, (char) => char.charCodeAt(0));
      const number = this.#table.find(codes, 0, codes.length, hashOf(codes, 0, codes.length));
      if (number !== NONE && number < this.#numListWords) numbers.push(number);
    }
    if (numbers.length === 0) return 1;
    const place = this.#forms.length;
    this.#forms.push(numbers.length, ...numbers);
    return place;
  }
}

function* wordsOf(name: string, kind: Uint8Array, lower: Uint16Array): Generator<Uint16Array> {
  let word: number[] = [];
  for (let at = 0; at <= name.length; at++) {
    const unit = name.charCodeAt(at);
    const what = at < name.length ? kind[unit] : GAP;
    if (what === LETTER) word.push(lower[unit] as number);
    else if (word.length > 0) {
      yield Uint16Array.from(word);
      word = [];
    }
  }
}
