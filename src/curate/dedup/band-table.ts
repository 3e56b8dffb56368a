// Rows that agree in at least one of several keys, found without comparing all pairs: the table
// behind every kind of near-duplicate. Flat typed arrays; nothing is ever removed.

/** Chains of rows, one table a band. */
export interface BandTable {
  /** Remember a row under its keys, one a band. */
  add(row: number, keys: Uint32Array): void;
  /**
   * Calls `visit` with the rows that share a key, the latest first, band by band; a row that shares
   * several comes several times, and now and then one comes that shares none.
   */
  candidates(keys: Uint32Array, visit: (row: number) => void): void;
}

const MIN_SLOTS = 1 << 8;
const MAX_SLOTS = 1 << 26;

/** A table for rows 0 … capacity − 1: 4 bytes a row and band, and as much for the slots. */
export function createBandTable(capacity: number, numBands: number): BandTable {
  let slots = MIN_SLOTS;
  while (slots < capacity && slots < MAX_SLOTS) slots *= 2;
  const shift = 32 - Math.log2(slots);
  const heads = Array.from({ length: numBands }, () => new Int32Array(slots));
  const next = Array.from({ length: numBands }, () => new Int32Array(capacity));
  const slotOf = (key: number): number => Math.imul(key ^ (key >>> 15), 0x9e3779b1) >>> shift;
  return {
    add: (row, keys) => {
      for (let band = 0; band < numBands; band++) {
        const head = heads[band] as Int32Array;
        const slot = slotOf(keys[band] as number);
        // Rows are kept plus one, so that zero ends a chain.
        (next[band] as Int32Array)[row] = head[slot] as number;
        head[slot] = row + 1;
      }
    },
    candidates: (keys, visit) => {
      for (let band = 0; band < numBands; band++) {
        const chain = next[band] as Int32Array;
        let at = (heads[band] as Int32Array)[slotOf(keys[band] as number)] as number;
        for (; at !== 0; at = chain[at - 1] as number) visit(at - 1);
      }
    },
  };
}
