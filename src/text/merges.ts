// The core of BPE training: which pair to merge next, with pair counts kept up to date.
// Each step touches only the words that hold the merged pair.

/** Two tokens that become one. */
export type Merge = readonly [left: string, right: string];

export interface MergeLimits {
  /** Tokens in all, the alphabet included. */
  readonly maxTokens: number;
  /** A pair that occurs less often is not merged. */
  readonly minFrequency: number;
}

interface Word {
  symbols: number[];
  readonly times: number;
}

/** Pairs are numbers: left · 2²⁴ + right. */
const SHIFT = 1 << 24;

/**
 * Learn merges from words (strings over the alphabet, with counts). The most frequent pair goes
 * first; among equals the one with the smaller ids (left, then right), as Hugging Face's trainer.
 */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  limits: MergeLimits,
): Merge[] {
  const tokens = [...alphabet];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const list: Word[] = [];
  for (const [text, times] of words) {
    list.push({ symbols: Array.from(text, (char) => idOf.get(char) ?? 0), times });
  }
  const pairs = createPairs(list);
  const merges: Merge[] = [];
  while (tokens.length < limits.maxTokens) {
    const best = pairs.takeBest();
    if (best === undefined || best.count < limits.minFrequency) break;
    const left = Math.floor(best.pair / SHIFT);
    const right = best.pair % SHIFT;
    const merge: Merge = [tokens[left] ?? '', tokens[right] ?? ''];
    merges.push(merge);
    const text = merge[0] + merge[1];
    let id = idOf.get(text);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(text);
      idOf.set(text, id);
    }
    pairs.merge(best.pair, left, right, id);
  }
  return merges;
}

interface Candidate {
  readonly pair: number;
  readonly count: number;
}

interface Pairs {
  takeBest(): Candidate | undefined;
  merge(pair: number, left: number, right: number, into: number): void;
}

function createPairs(words: readonly Word[]): Pairs {
  const counts = new Map<number, number>();
  const holders = new Map<number, Set<number>>();
  const heap = createHeap();
  const add = (pair: number, times: number, word: number): void => {
    counts.set(pair, (counts.get(pair) ?? 0) + times);
    const set = holders.get(pair);
    if (set === undefined) holders.set(pair, new Set([word]));
    else set.add(word);
  };
  words.forEach((word, index) => {
    for (const pair of pairsOf(word.symbols)) add(pair, word.times, index);
  });
  for (const [pair, count] of counts) heap.push({ pair, count });
  return {
    takeBest: () => {
      for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
        const count = counts.get(top.pair) ?? 0;
        if (count === top.count && count > 0) return top;
      }
      return undefined;
    },
    merge: (pair, left, right, into) => {
      const changed = new Set<number>();
      for (const index of holders.get(pair) ?? []) {
        const word = words[index] as Word;
        for (const before of pairsOf(word.symbols)) {
          counts.set(before, (counts.get(before) ?? 0) - word.times);
          changed.add(before);
        }
        word.symbols = replacePair(word.symbols, left, right, into);
        for (const after of pairsOf(word.symbols)) {
          add(after, word.times, index);
          changed.add(after);
        }
      }
      counts.delete(pair);
      holders.delete(pair);
      for (const touched of changed) {
        const count = counts.get(touched) ?? 0;
        if (count > 0) heap.push({ pair: touched, count });
      }
    },
  };
}

function pairsOf(symbols: readonly number[]): number[] {
  const out: number[] = [];
  for (let i = 1; i < symbols.length; i++) {
    out.push((symbols[i - 1] as number) * SHIFT + (symbols[i] as number));
  }
  return out;
}

function replacePair(
  symbols: readonly number[],
  left: number,
  right: number,
  into: number,
): number[] {
  const out: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      out.push(into);
      i += 1;
    } else {
      out.push(symbols[i] as number);
    }
  }
  return out;
}

interface Heap {
  push(item: Candidate): void;
  pop(): Candidate | undefined;
}

/** A binary heap: highest count first, then the smaller pair. Outdated entries are the caller's. */
function createHeap(): Heap {
  const items: Candidate[] = [];
  const before = (a: Candidate, b: Candidate): boolean =>
    a.count > b.count || (a.count === b.count && a.pair < b.pair);
  const swap = (i: number, j: number): void => {
    const a = items[i] as Candidate;
    items[i] = items[j] as Candidate;
    items[j] = a;
  };
  const isBefore = (i: number, j: number): boolean =>
    before(items[i] as Candidate, items[j] as Candidate);
  return {
    push: (item) => {
      let at = items.push(item) - 1;
      for (let up = (at - 1) >> 1; at > 0 && isBefore(at, up); up = (at - 1) >> 1) {
        swap(at, up);
        at = up;
      }
    },
    pop: () => {
      const top = items[0];
      const last = items.pop();
      if (top === undefined || last === undefined || items.length === 0) return top;
      items[0] = last;
      for (let at = 0; ; ) {
        let best = at;
        for (const child of [2 * at + 1, 2 * at + 2]) {
          if (child < items.length && isBefore(child, best)) best = child;
        }
        if (best === at) return top;
        swap(at, best);
        at = best;
      }
    },
  };
}
