// A batch in one block of shared memory, so that a worker thread hands it over without a copy and the
// block is used again for the next one.

import type { Batch } from '../../model/batch.ts';

/** Where each array of a batch lies in the block. Crosses thread borders. */
export interface SharedBatch {
  readonly block: SharedArrayBuffer;
  readonly arrays: readonly SharedSlice[];
}

interface SharedSlice {
  readonly name: string;
  readonly isFloat: boolean;
  readonly byteOffset: number;
  readonly length: number;
}

/** Bytes to which arrays are aligned: one cache line. */
const ALIGNMENT = 64;
/** A block that must grow is made so much larger than needed, so that it seldom grows again. */
const HEADROOM = 1.25;

/** Copies a batch into a block, or into a new one where there is none or it is too small. */
export function shareBatch(
  batch: Required<Batch>,
  block: SharedArrayBuffer | undefined,
): SharedBatch {
  let size = 0;
  const entries = Object.entries(batch).map(([name, array]) => {
    const byteOffset = size;
    size = Math.ceil((size + array.byteLength) / ALIGNMENT) * ALIGNMENT;
    return { name, array, byteOffset };
  });
  const target =
    block !== undefined && block.byteLength >= size
      ? block
      : new SharedArrayBuffer(Math.ceil(size * HEADROOM));
  const arrays = entries.map(({ name, array, byteOffset }): SharedSlice => {
    const isFloat = array instanceof Float32Array;
    viewOf(target, isFloat, byteOffset, array.length).set(array);
    return { name, isFloat, byteOffset, length: array.length };
  });
  return { block: target, arrays };
}

/** The batch as views of its block: valid until the block is used again. */
export function viewBatch({ block, arrays }: SharedBatch): Required<Batch> {
  const views = arrays.map(({ name, isFloat, byteOffset, length }) => [
    name,
    viewOf(block, isFloat, byteOffset, length),
  ]);
  return Object.fromEntries(views) as Required<Batch>;
}

function viewOf(
  block: SharedArrayBuffer,
  isFloat: boolean,
  byteOffset: number,
  length: number,
): Float32Array | Int32Array {
  return isFloat
    ? new Float32Array(block, byteOffset, length)
    : new Int32Array(block, byteOffset, length);
}
