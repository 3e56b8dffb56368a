// Near = the same picture to the eye: difference hashes a few bits apart, and like colours. Without
// the colours all striped or blank pictures would be one, since their hash is zero.
import { wordsOf } from '../survey/row.ts';
import type { NearFinder, NearRows } from './find-near.ts';
import { createHammingIndex, HASH_WORDS } from './hamming-index.ts';
import type { DedupConfig } from './settings.ts';

const NUM_MEANS = 192;

export function pictureFinder(
  limits: Pick<DedupConfig, 'maxHamming' | 'maxColourDifference'>,
): NearFinder {
  return { columns: ['hash', 'means'], open: (numRows) => openPictures(numRows, limits) };
}

/** 224 bytes a picture, and about 8 for each bit of `maxHamming` and one more. */
export function openPictures(
  numRows: number,
  { maxHamming, maxColourDifference }: Pick<DedupConfig, 'maxHamming' | 'maxColourDifference'>,
): NearRows {
  const words = new Uint32Array(HASH_WORDS * numRows);
  const means = new Uint8Array(NUM_MEANS * numRows);
  const index = createHammingIndex(words, maxHamming);
  const isLike = (a: number, b: number): boolean => {
    const most = maxColourDifference * NUM_MEANS;
    let sum = 0;
    for (let k = 0; k < NUM_MEANS && sum <= most; k++) {
      sum += Math.abs((means[NUM_MEANS * a + k] as number) - (means[NUM_MEANS * b + k] as number));
    }
    return sum <= most;
  };
  return {
    load: (place, row) => {
      words.set(wordsOf(row['hash'] as Uint8Array), HASH_WORDS * place);
      means.set(row['means'] as Uint8Array, NUM_MEANS * place);
    },
    nearest: (place) => {
      const bits = words.subarray(HASH_WORDS * place, HASH_WORDS * (place + 1));
      return index.nearest(bits, (other) => isLike(place, other));
    },
    add: index.add,
  };
}
