// Every distinct word as a small number: an open hash table over typed arrays. No strings, no objects.

/** Where a word lies in a text, folded to lower case already: `codes[start … end)`. */
export type Codes = Uint16Array;

const EMPTY = -1;
/** Numbers kept for each word: where its letters start and end, then what the owner notes. */
const STRIDE = 8;
const NOTES = 2;

/**
 * Words of UTF-16 units → 0, 1, 2, … in the order they were added. What is asked together lies
 * together: a look-up touches three places of the memory, however large the table is.
 */
export class WordTable {
  /** Word and hash, alternately. */
  #slots: Int32Array;
  #records: Int32Array;
  #letters: Uint16Array;
  #numLetters = 0;
  #size = 0;

  constructor(expectedWords = 1024) {
    const capacity = 2 ** Math.ceil(Math.log2(2 * Math.max(16, expectedWords)));
    this.#slots = new Int32Array(2 * capacity).fill(EMPTY);
    this.#records = new Int32Array((STRIDE * capacity) / 2);
    this.#letters = new Uint16Array(8 * capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** One of six numbers noted with a word, 0 at first. */
  note(word: number, index: number): number {
    return this.#records[STRIDE * word + NOTES + index] as number;
  }

  setNote(word: number, index: number, value: number): void {
    this.#records[STRIDE * word + NOTES + index] = value;
  }

  /** The number of a word, or −1. `hash` is `hashOf` of the same units. */
  find(codes: Codes, start: number, end: number, hash: number): number {
    const mask = this.#slots.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const word = this.#slots[2 * slot] as number;
      if (word === EMPTY) return EMPTY;
      if (this.#slots[2 * slot + 1] === hash && this.#equals(word, codes, start, end)) return word;
    }
  }

  /** The number of a word, which is new if it was not there. */
  add(codes: Codes, start: number, end: number, hash: number): number {
    const known = this.find(codes, start, end, hash);
    if (known !== EMPTY) return known;
    if (STRIDE * this.#size === this.#records.length) this.#grow();
    const word = this.#size++;
    const length = end - start;
    if (this.#numLetters + length > this.#letters.length) {
      const wider = new Uint16Array(2 * this.#letters.length + length);
      wider.set(this.#letters);
      this.#letters = wider;
    }
    this.#letters.set(codes.subarray(start, end), this.#numLetters);
    this.#records[STRIDE * word] = this.#numLetters;
    this.#numLetters += length;
    this.#records[STRIDE * word + 1] = this.#numLetters;
    place(this.#slots, word, hash);
    return word;
  }

  #equals(word: number, codes: Codes, start: number, end: number): boolean {
    const from = this.#records[STRIDE * word] as number;
    if ((this.#records[STRIDE * word + 1] as number) - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) {
      if (this.#letters[from + i] !== codes[start + i]) return false;
    }
    return true;
  }

  #grow(): void {
    const records = new Int32Array(2 * this.#records.length);
    records.set(this.#records);
    this.#records = records;
    const slots = new Int32Array(2 * this.#slots.length).fill(EMPTY);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const word = this.#slots[at] as number;
      if (word !== EMPTY) place(slots, word, this.#slots[at + 1] as number);
    }
    this.#slots = slots;
  }
}

function place(slots: Int32Array, word: number, hash: number): void {
  const mask = slots.length / 2 - 1;
  let slot = hash & mask;
  while (slots[2 * slot] !== EMPTY) slot = (slot + 1) & mask;
  slots[2 * slot] = word;
  slots[2 * slot + 1] = hash;
}

export const HASH_START: number = 0x811c9dc5 | 0;

/** One step of the hash of a word (FNV-1a over UTF-16 units); `finishHash` closes it. */
export function stepHash(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

export function finishHash(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) & 0x7fffffff;
}

export function hashOf(codes: Codes, start: number, end: number): number {
  let hash = HASH_START;
  for (let at = start; at < end; at++) hash = stepHash(hash, codes[at] as number);
  return finishHash(hash);
}
