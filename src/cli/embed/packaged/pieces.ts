// The tokenizer of Universal Sentence Encoder Lite: the likeliest cut of a text into 8,000 pieces
// (a unigram model, Kudo 2018), found by Viterbi. Ids are rows of its vocabulary.

/** Pieces with their log probabilities; the first six are reserved and never found in a text. */
export type Vocabulary = readonly (readonly [piece: string, score: number])[];

const NUM_RESERVED = 6;
const UNKNOWN = 0;

/** Text → ids of its pieces; a run of unknown characters is one id 0. */
export function createPieces(vocabulary: Vocabulary): (text: string) => number[] {
  const ids = new Map<string, number>();
  let longest = 1;
  for (const [id, [piece]] of vocabulary.entries()) {
    if (id < NUM_RESERVED) continue;
    ids.set(piece, id);
    longest = Math.max(longest, [...piece].length);
  }
  return (text) => {
    const normal = text.normalize('NFKC');
    if (normal === '') return [];
    return cut([...`▁${normal.replaceAll(' ', '▁')}`], longest, ids, vocabulary);
  };
}

function cut(
  symbols: readonly string[],
  longest: number,
  ids: ReadonlyMap<string, number>,
  vocabulary: Vocabulary,
): number[] {
  const best = new Float64Array(symbols.length + 1).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(symbols.length + 1);
  const pieceOf = new Int32Array(symbols.length + 1);
  best[0] = 0;
  for (let start = 0; start < symbols.length; start++) {
    const before = best[start] as number;
    const reach = (end: number, id: number): void => {
      const score = before + (vocabulary[id]?.[1] ?? 0);
      if (score < (best[end] as number)) return;
      best[end] = score;
      from[end] = start;
      pieceOf[end] = id;
    };
    let isKnown = false;
    let piece = '';
    for (let end = start + 1; end <= Math.min(symbols.length, start + longest); end++) {
      piece += symbols[end - 1];
      const id = ids.get(piece);
      if (id === undefined) continue;
      isKnown = true;
      reach(end, id);
    }
    if (!isKnown) reach(start + 1, UNKNOWN);
  }
  const found: number[] = [];
  for (let end = symbols.length; end > 0; end = from[end] as number) {
    const id = pieceOf[end] as number;
    if (id !== UNKNOWN || found.at(-1) !== UNKNOWN) found.push(id);
  }
  return found.reverse();
}
