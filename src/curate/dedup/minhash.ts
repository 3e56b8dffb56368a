// Texts that say nearly the same: MinHash signatures and their bands. Two texts agree in one number
// of the signature with a probability equal to the overlap (Jaccard) of their word runs.
import { hashUint32 } from '../../core/hash.ts';
import { createBandTable } from './band-table.ts';
import type { Near } from './hamming-index.ts';

export interface MinHashShape {
  /** Words of a run. */
  readonly ngram: number;
  readonly numBands: number;
  readonly rowsPerBand: number;
}

/** The shape that datatrove takes: half of the pairs with an overlap of 0.72 share a band. */
export const MINHASH: MinHashShape = { ngram: 5, numBands: 14, rowsPerBand: 8 };

const NOTHING = 0xffffffff;
const WORD = /[\p{L}\p{N}]+/gu;

/** A function from texts to signatures [numBands · rowsPerBand]. */
export function createSigner(shape: MinHashShape = MINHASH): (text: string) => Uint32Array {
  const size = shape.numBands * shape.rowsPerBand;
  // Member k of the family is x ↦ (a_k · x + b_k) mod 2³², mixed; a_k odd.
  const a = Uint32Array.from({ length: size }, (_, k) => hashUint32('minhash a', k) | 1);
  const b = Uint32Array.from({ length: size }, (_, k) => hashUint32('minhash b', k));
  return (text) => {
    const signature = new Uint32Array(size).fill(NOTHING);
    for (const run of runHashes(text, shape.ngram)) {
      for (let k = 0; k < size; k++) {
        const x = Math.imul(run, a[k] as number) + (b[k] as number);
        const mixed = (x ^ (x >>> 16)) >>> 0;
        if (mixed < (signature[k] as number)) signature[k] = mixed;
      }
    }
    return signature;
  };
}

/** A hash of every run of `ngram` words; a shorter text is one run. Letter case does not count. */
function runHashes(text: string, ngram: number): number[] {
  const words = text.toLowerCase().match(WORD) ?? [];
  if (words.length === 0) return [];
  const hashes = words.map(hashWord);
  const runs: number[] = [];
  for (let at = 0; at + Math.min(ngram, words.length) <= words.length; at++) {
    let run = 0x811c9dc5;
    for (let k = at; k < Math.min(at + ngram, words.length); k++) {
      run = Math.imul(run ^ (hashes[k] as number), 0x85ebca6b);
      run ^= run >>> 13;
    }
    runs.push(run);
  }
  return runs;
}

/** FNV-1a over UTF-16 units, finished as in MurmurHash3. */
function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

export interface SignatureIndex {
  /** Let the row be found. */
  add(row: number): void;
  /** The added row with the largest estimated overlap; distance = 1 − overlap. */
  nearest(row: number): Near | undefined;
}

/**
 * An index over signatures that lie one after the other; finds rows with an estimated overlap of at
 * least `minOverlap` that share a band. Texts without a word are like nothing.
 *
 * @param all [rows, numBands · rowsPerBand]
 */
export function createSignatureIndex(
  all: Uint32Array,
  minOverlap: number,
  shape: MinHashShape = MINHASH,
): SignatureIndex {
  const { numBands, rowsPerBand } = shape;
  const size = numBands * rowsPerBand;
  const table = createBandTable(all.length / size, numBands);
  const keys = new Uint32Array(numBands);
  const isEmpty = (row: number): boolean => {
    for (let k = size * row; k < size * (row + 1); k++) if (all[k] !== NOTHING) return false;
    return true;
  };
  return {
    add: (row) => {
      if (!isEmpty(row)) table.add(row, bandKeys(all, size * row, rowsPerBand, keys));
    },
    nearest: (row) => {
      if (isEmpty(row)) return undefined;
      let best = -1;
      let most = Math.ceil(minOverlap * size);
      table.candidates(bandKeys(all, size * row, rowsPerBand, keys), (other) => {
        let same = 0;
        for (let k = 0; k < size; k++) if (all[size * other + k] === all[size * row + k]) same += 1;
        if (same < most || (same === most && best >= 0 && best <= other)) return;
        best = other;
        most = same;
      });
      return best < 0 ? undefined : { row: best, distance: 1 - most / size };
    },
  };
}

function bandKeys(
  all: Uint32Array,
  start: number,
  rowsPerBand: number,
  keys: Uint32Array,
): Uint32Array {
  for (let band = 0; band < keys.length; band++) {
    let key = band;
    const from = start + band * rowsPerBand;
    for (let k = from; k < from + rowsPerBand; k++) {
      key = Math.imul(key ^ (all[k] as number), 0x9e3779b1);
      key ^= key >>> 15;
    }
    keys[band] = key >>> 0;
  }
  return keys;
}
