// Which heads of attention a rank takes when every rank sees all rows. Arithmetic only.

/** The share of every rank; all have as many. */
export interface HeadShares {
  /** Query heads of a rank: rank r has those from r · numHeads. */
  readonly numHeads: number;
  /** The key heads of each rank, one after another; a head may be sent to several ranks. */
  readonly kvHeads: readonly number[];
  readonly numKvHeads: number;
}

/**
 * Cuts the query heads into equal shares. Key heads are cut with them; where there are fewer than
 * ranks they are repeated, and where shares end inside a group each query head gets a copy of its own.
 * @throws RangeError where the ranks do not divide the query heads.
 */
export function shareHeads(numHeads: number, numKvHeads: number, ranks: number): HeadShares {
  if (numHeads % ranks !== 0) throw new RangeError(`${numHeads} heads on ${ranks} ranks`);
  const share = numHeads / ranks;
  const group = numHeads / numKvHeads;
  const isEven = share % group === 0 || group % share === 0;
  const step = isEven ? Math.min(share, group) : 1;
  const kvHeads: number[] = [];
  for (let head = 0; head < numHeads; head += step) kvHeads.push(Math.floor(head / group));
  return { numHeads: share, kvHeads, numKvHeads: share / step };
}

/** A forward and backward of some layers of attention over `numRows` rows. */
export interface ExchangeSizes {
  readonly numRows: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly bytesPerElement: number;
}

/**
 * Bytes that all ranks together send around attention: q, k, v there and the result back, and the
 * same for their gradients. R rows, S ranks, h and k heads of a rank: 2 · layers · R · (S − 1) · (2h + 2k) ·
 * headDim elements. A layer that is recomputed sends half as much again.
 */
export function exchangedBytes(sizes: ExchangeSizes, ranks: number): number {
  const { numHeads, numKvHeads } = shareHeads(sizes.numHeads, sizes.numKvHeads, ranks);
  const perRow = (2 * numHeads + 2 * numKvHeads) * sizes.headDim * sizes.bytesPerElement;
  return 2 * sizes.numLayers * sizes.numRows * (ranks - 1) * perRow;
}
