// 256-bit hashes, and the nearest one to a given hash. Misses nothing: two hashes that differ in at
// most m bits agree in one of m + 1 bands.
import { createBandTable } from './band-table.ts';

export interface Near {
  readonly row: number;
  /** Differing bits. */
  readonly distance: number;
}

export interface HammingIndex {
  /** Let the row be found. */
  add(row: number): void;
  /** The nearest added row within the limit that `accepts` takes; of several the lowest. */
  nearest(bits: Uint32Array, accepts?: (row: number) => boolean): Near | undefined;
}

const NUM_BITS = 256;
/** Words of a hash. */
export const HASH_WORDS: number = NUM_BITS / 32;
/** Bands of 16 bits; with more of them every second hash would be a candidate. */
export const MAX_HAMMING = 15;

/**
 * An index over hashes that lie one after the other. Band b takes bits b, b + n, b + 2n, …, so that
 * a blank strip of a picture does not put all pictures with one into one band. Takes about 8 bytes a
 * hash and band beside the hashes.
 *
 * @param words [rows, 8]
 * @throws RangeError for a limit that the bands cannot keep.
 */
export function createHammingIndex(words: Uint32Array, maxHamming: number): HammingIndex {
  if (!(maxHamming >= 0 && maxHamming <= MAX_HAMMING)) {
    throw new RangeError(`maxHamming must be 0 to ${MAX_HAMMING}, got ${maxHamming}`);
  }
  const numBands = maxHamming + 1;
  const table = createBandTable(words.length / HASH_WORDS, numBands);
  const keys = new Uint32Array(numBands);
  return {
    add: (row) => table.add(row, bandKeys(words, HASH_WORDS * row, keys)),
    nearest: (bits, accepts) => {
      let best = -1;
      let bestDistance = maxHamming;
      table.candidates(bandKeys(bits, 0, keys), (row) => {
        const distance = distanceTo(words, row, bits, bestDistance);
        if (distance > bestDistance) return;
        if (distance === bestDistance && best >= 0 && best <= row) return;
        if (accepts !== undefined && !accepts(row)) return;
        best = row;
        bestDistance = distance;
      });
      return best < 0 ? undefined : { row: best, distance: bestDistance };
    },
  };
}

function bandKeys(words: Uint32Array, start: number, keys: Uint32Array): Uint32Array {
  const numBands = keys.length;
  keys.fill(0);
  let band = 0;
  for (let word = start; word < start + HASH_WORDS; word++) {
    const value = words[word] as number;
    for (let bit = 0; bit < 32; bit++) {
      const key = keys[band] as number;
      keys[band] = ((key << 1) | (key >>> 31)) ^ ((value >>> bit) & 1);
      band += 1;
      if (band === numBands) band = 0;
    }
  }
  return keys;
}

/** Differing bits, counted no further than past `limit`. */
function distanceTo(words: Uint32Array, row: number, bits: Uint32Array, limit: number): number {
  let distance = 0;
  for (let i = 0; i < HASH_WORDS && distance <= limit; i++) {
    let x = ((words[HASH_WORDS * row + i] as number) ^ (bits[i] as number)) >>> 0;
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    distance += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return distance;
}
