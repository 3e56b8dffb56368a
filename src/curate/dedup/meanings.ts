// Near = images that an embedder places close together: a cosine above a limit. Rows are filed under
// the nearest of about √n of them and compared with what lies there and at the second nearest: pairs
// right at a border of several regions can be missed (as in semantic deduplication by k-means).
import { hashUint32 } from '../../core/hash.ts';
import type { NearFinder, NearRows } from './find-near.ts';
import type { Near } from './hamming-index.ts';

const MAX_REGIONS = 4096;

export function meaningFinder(minCosine: number): NearFinder {
  return { columns: ['embedding'], open: (numRows) => openMeanings(numRows, minCosine) };
}

/** 4 · dim bytes a row. Rows are vectors of length 1; all are loaded before the first search. */
export function openMeanings(numRows: number, minCosine: number): NearRows {
  let dim = 0;
  let vectors = new Float32Array();
  let regions: readonly { readonly centre: number; readonly rows: number[] }[] | undefined;
  const cosine = (a: number, b: number): number => {
    let sum = 0;
    for (let k = 0; k < dim; k++) {
      sum += (vectors[dim * a + k] as number) * (vectors[dim * b + k] as number);
    }
    return sum;
  };
  /** The nearest and the second nearest region. */
  const regionsOf = (place: number): number[][] => {
    regions ??= chooseCentres(numRows).map((centre) => ({ centre, rows: [] }));
    const [first, second] = twoBest(regions.map(({ centre }) => cosine(place, centre)));
    return [regions[first]?.rows ?? [], regions[second]?.rows ?? []];
  };
  return {
    load: (place, row) => {
      const bytes = Uint8Array.from(row['embedding'] as Uint8Array);
      const vector = new Float32Array(bytes.buffer);
      if (dim === 0) {
        dim = vector.length;
        vectors = new Float32Array(dim * numRows);
      }
      vectors.set(vector, dim * place);
    },
    nearest: (place) => {
      let best: Near | undefined;
      for (const other of regionsOf(place).flat()) {
        const distance = 1 - cosine(place, other);
        if (distance > 1 - minCosine) continue;
        if (best !== undefined && distance >= best.distance) continue;
        best = { row: other, distance };
      }
      return best;
    },
    add: (place) => regionsOf(place)[0]?.push(place),
  };
}

/** About √n different rows, chosen by a hash of their place. */
function chooseCentres(numRows: number): number[] {
  const numWanted = Math.min(MAX_REGIONS, Math.ceil(Math.sqrt(numRows)));
  const centres = new Set<number>();
  for (let i = 0; centres.size < numWanted; i++) centres.add(hashUint32('centre', i) % numRows);
  return [...centres];
}

function twoBest(values: readonly number[]): [number, number] {
  let [first, second] = [0, -1];
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (value > (values[first] as number)) [first, second] = [i, first];
    else if (second < 0 || value > (values[second] as number)) second = i;
  }
  return [first, second];
}
