// Pairs of words that stand together more often than chance: pointwise mutual information.
//
// PMI(a b) = log2( N · c(a b) / (c(a) · c(b)) ),   N = pairs of neighbours, c = how often
//
// Source: Church & Hanks 1990; MetaCLIP takes Wikipedia's pairs above a threshold, we the corpus's.

export interface Bigram {
  readonly name: string;
  readonly count: number;
  /** Bits. */
  readonly pmi: number;
}

export interface BigramCounter {
  add(text: string): void;
  /** Pairs with at least this count and PMI, the most frequent first. */
  take(minCount: number, minPmi: number): Bigram[];
}

/** Words that make no name at either end. */
const STOP: ReadonlySet<string> = new Set(
  (
    'a an the and or of in on at to for with by from as is are was were be been it its this that ' +
    'these those his her their our your my not no but if so than then there here all any some more ' +
    'most very can will has have had do does did up down out off over under into about after before'
  ).split(' '),
);
const MIN_LETTERS = 2;

/**
 * Counts neighbours within a phrase; a sign other than a blank or hyphen ends it. Bounded: beyond
 * `maxPairs` different ones, those seen least are forgotten, as long as they are few (lossy
 * counting, Manku & Motwani 2002: a count is too low by at most the number of such sweeps).
 */
export function createBigramCounter(maxPairs = 4_000_000): BigramCounter {
  const pairs = new Map<string, number>();
  const words = new Map<string, number>();
  let total = 0;
  let sweeps = 0;
  const bump = (table: Map<string, number>, key: string): void => {
    table.set(key, (table.get(key) ?? 0) + 1);
  };
  const sweep = (table: Map<string, number>): void => {
    for (const [key, count] of table) {
      if (count <= 1) table.delete(key);
      else table.set(key, count - 1);
    }
  };
  return {
    add: (text) => {
      for (const phrase of text
        .toLowerCase()
        .replaceAll('’', "'")
        .split(/[^\p{L}\p{M}'\s-]+/u)) {
        const list = phrase.match(/[\p{L}\p{M}']+/gu) ?? [];
        for (const [i, word] of list.entries()) {
          bump(words, word);
          const before = list[i - 1];
          if (before === undefined) continue;
          total += 1;
          if (isEnd(before) && isEnd(word)) bump(pairs, `${before} ${word}`);
        }
      }
      if (pairs.size <= maxPairs) return;
      sweeps += 1;
      sweep(pairs);
    },
    take: (minCount, minPmi) => {
      const found: Bigram[] = [];
      for (const [name, count] of pairs) {
        if (count + sweeps < minCount) continue;
        const [a = '', b = ''] = name.split(' ');
        const chance = (words.get(a) ?? 1) * (words.get(b) ?? 1);
        const pmi = Math.log2((total * count) / chance);
        if (pmi >= minPmi) found.push({ name, count, pmi });
      }
      return found.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
    },
  };
}

function isEnd(word: string): boolean {
  return word.length >= MIN_LETTERS && !STOP.has(word);
}
