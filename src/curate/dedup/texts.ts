// Near = nearly the same words: MinHash signatures that agree in enough places.
import { wordsOf } from '../survey/row.ts';
import type { NearFinder } from './find-near.ts';
import { createSignatureIndex, MINHASH } from './minhash.ts';

/** 448 bytes a text, and about 112 for the bands. */
export function textFinder(minOverlap: number): NearFinder {
  const size = MINHASH.numBands * MINHASH.rowsPerBand;
  return {
    columns: ['signature'],
    open: (numRows) => {
      const all = new Uint32Array(size * numRows);
      const { add, nearest } = createSignatureIndex(all, minOverlap);
      const load = (place: number, row: Readonly<Record<string, unknown>>): void =>
        all.set(wordsOf(row['signature'] as Uint8Array), size * place);
      return { load, nearest, add };
    },
  };
}
